"""`watchword keys`, `watchword verifier` and `watchword token verify` beside a server that runs."""

import json
import re
from pathlib import Path

import pytest

from tests.support.commands import Home, Server, answer, refusal, run
from watchword.tokens import key_id


@pytest.fixture
def data(shared_server: Server) -> Path:
    return shared_server.data


@pytest.fixture
def token(shared_home: Home, shared_server: Server) -> str:
    assert shared_server.port
    return new_token(shared_home)


def new_token(home: Home) -> str:
    return str(json.loads(answer(home, "token", "issue", "--scope", "chat", "--json"))["token"])


def verified(home: Home, token: str) -> dict[str, object]:
    result = run(home, "token", "verify", "--json", given=token)
    found: dict[str, object] = json.loads(result.stdout)
    assert result.returncode == (0 if found["valid"] else 1)
    return found


def test_a_valid_token_is_told_what_it_proves(shared_home: Home, token: str) -> None:
    shown = answer(shared_home, "token", "verify", token)
    assert "scopes    chat" in shown
    assert "8:acs:" in shown
    found = verified(shared_home, token)
    assert (found["valid"], found["scopes"]) == (True, ["chat"])


@pytest.mark.parametrize(
    ("spoil", "check", "remedy"),
    [
        (lambda token: token[:-8] + "AAAAAAAA", "signature", "changed after it was issued"),
        (lambda token: token.rpartition(".")[0], "format", "copied whole"),
        (lambda token: f"eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.{token.partition('.')[2]}", "key", "another service"),
        (lambda token: token * 20, "size", "one token"),
    ],
    ids=["signature", "format", "key", "size"],
)
def test_a_refusal_is_explained_in_words(shared_home: Home, token: str, spoil: object, check: str, remedy: str) -> None:
    assert callable(spoil)
    spoiled = spoil(token)
    told = refusal(shared_home, "token", "verify", given=spoiled)
    assert f"`{check}`" in told
    assert remedy in told
    assert verified(shared_home, spoiled)["check"] == check


def test_a_revoked_token_is_told_apart_from_a_forged_one(shared_home: Home, token: str) -> None:
    answer(shared_home, "token", "revoke", "--token", "-", "--yes", given=token)
    assert "revoked" in refusal(shared_home, "token", "verify", token)
    other = new_token(shared_home)
    answer(shared_home, "token", "revoke", "--token-id", str(verified(shared_home, other)["token_id"]), "--yes")
    assert verified(shared_home, other)["valid"] is False
    assert verified(shared_home, new_token(shared_home))["valid"] is True


def test_revoke_wants_one_thing_to_revoke(shared_home: Home, token: str) -> None:
    for arguments in ((), ("--token", token, "--token-id", "x")):
        assert run(shared_home, "token", "revoke", "--yes", *arguments).returncode == 2
    assert "--yes" in refusal(shared_home, "token", "revoke", "--token", token)
    assert verified(shared_home, token)["valid"] is True


def test_a_service_that_does_not_answer_is_no_refusal(shared_home: Home, token: str) -> None:
    nowhere = "endpoint=http://127.0.0.1:1/;accesskey=a2V5"
    told = refusal(shared_home, "token", "verify", token, "--connection-string", nowhere)
    assert "cannot be verified" in told
    assert "--connection-string" in told


def test_keys_are_rotated_retired_and_revoked(shared_home: Home, data: Path, token: str) -> None:
    first = key_id(token)
    assert re.search(
        rf"^{re.escape(first)} +ES256 +signing ", answer(shared_home, "keys", "list", "--data", data), re.MULTILINE
    )

    published = json.loads(answer(shared_home, "keys", "rotate", "--data", data, "--json"))["key_id"]
    assert key_id(new_token(shared_home)) == first
    assert json.loads(answer(shared_home, "keys", "rotate", "--data", data, "--now", "--json"))["key_id"] == published
    assert key_id(new_token(shared_home)) == published

    answer(shared_home, "keys", "retire", "--key-id", published, "--data", data)
    third = new_token(shared_home)
    assert key_id(third) not in (first, published)

    assert "--yes" in refusal(shared_home, "keys", "revoke", "--key-id", key_id(third), "--data", data)
    answer(shared_home, "keys", "revoke", "--key-id", key_id(third), "--data", data, "--yes")
    assert verified(shared_home, third)["valid"] is False
    assert verified(shared_home, token)["valid"] is True

    states = {
        each["key_id"]: each["state"]
        for each in json.loads(answer(shared_home, "keys", "list", "--data", data, "--json"))
    }
    assert (states[first], states[published], states[key_id(third)]) == ("verifying", "verifying", "revoked")
    assert sorted(states.values()) == ["revoked", "signing", "verifying", "verifying"]


def test_nothing_of_a_private_key_is_ever_shown(shared_home: Home, data: Path) -> None:
    [key, *_] = json.loads(answer(shared_home, "keys", "list", "--data", data, "--json"))
    assert set(key) == {"key_id", "algorithm", "published", "signs_from", "retired", "revoked", "state"}


def test_a_key_that_is_not_there_is_said_to_be_not_there(shared_home: Home, data: Path) -> None:
    for command in ("retire", "revoke --yes"):
        assert "no signing key" in refusal(shared_home, "keys", *command.split(), "--key-id", "-x", "--data", data)


def test_verifier_credentials_are_made_listed_and_deleted(shared_home: Home, data: Path) -> None:
    credential = answer(shared_home, "verifier", "create", "--data", data).strip()
    assert re.fullmatch(r"wwv_[0-9a-f]{16}_[0-9A-Za-z_-]{43}", credential)
    made = json.loads(answer(shared_home, "verifier", "create", "--data", data, "--resource", "DEV", "--json"))
    listed = answer(shared_home, "verifier", "list", "--data", data)
    assert credential.split("_")[1] in listed
    assert credential.split("_", 2)[2] not in listed
    answer(shared_home, "verifier", "delete", "--id", credential, "--data", data, "--yes")
    assert [each["id"] for each in json.loads(answer(shared_home, "verifier", "list", "--data", data, "--json"))] == [
        made["id"]
    ]
    assert "no verifier credential" in refusal(
        shared_home, "verifier", "delete", "--id", credential, "--data", data, "--yes"
    )
    assert "no resource" in refusal(shared_home, "verifier", "create", "--data", data, "--resource", "nobody's")


@pytest.mark.sqlite("its database is a file of the directory; an address of PostgreSQL always leads to one")
def test_without_a_database_it_says_so(home: Home) -> None:
    for command in ("keys list", "keys rotate", "verifier create", "verifier list"):
        assert "no database" in refusal(home, *command.split())


def test_rotate_says_when_the_key_will_sign_and_what_it_costs_not_to_wait(shared_home: Home, data: Path) -> None:
    answer(shared_home, "keys", "rotate", "--data", data, "--now")
    told = run(shared_home, "keys", "rotate", "--data", data).stderr
    assert re.search(r"is published, and signs from \d{4}-\d\d-\d\d ", told)
    assert "`watchword keys rotate --now`" in told
    assert "5 minutes" in told
    assert "12 hours" in told
    assert "12 hours" not in run(shared_home, "keys", "rotate", "--data", data, "--now").stderr
