"""`watchword identity` and `watchword token` against the server that runs, which they find by themselves."""

import json
import re
from dataclasses import replace

import pytest

from tests.support.commands import Home, Server, answer, refusal, run, server
from watchword.cli.connection import VARIABLES

pytestmark = pytest.mark.usefixtures("shared_server")
IDENTITY = re.compile(r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}")


def create(home: Home, *arguments: str) -> str:
    identity = answer(home, "identity", "create", *arguments).strip()
    assert IDENTITY.fullmatch(identity)
    return identity


def test_identity_is_created_shown_listed_and_deleted(shared_home: Home) -> None:
    identity = create(shared_home, "--custom-id", "ada")
    assert json.loads(answer(shared_home, "identity", "create", "--custom-id", "ada", "--json"))["id"] == identity
    assert "custom id   ada" in answer(shared_home, "identity", "show", "--user", identity)
    [listed] = json.loads(answer(shared_home, "identity", "list", "--custom-id", "ada", "--json"))
    assert (listed["id"], listed["custom_id"], listed["last_token_issued"]) == (identity, "ada", None)
    assert listed["created"]
    table = answer(shared_home, "identity", "list")
    assert re.search(rf"^{identity}  +ada  ", table, re.MULTILINE), "a row is one line, whatever the width"
    answer(shared_home, "identity", "delete", "--user", identity, "--yes")
    assert "Provided identity doesn't exist." in refusal(shared_home, "identity", "show", "--user", identity)


def test_programs_of_their_own_find_the_server_too(shared_home: Home, shared_server: Server) -> None:
    apart = replace(shared_home, in_process=False)
    issued = json.loads(answer(apart, "token", "issue", "--scope", "chat", "--json"))
    assert issued["user_id"] in answer(apart, "identity", "list")
    resource = issued["user_id"].removeprefix("8:acs:").partition("_")[0]
    assert resource in answer(apart, "resource", "keys", "--data", shared_server.data)


def test_list_is_narrowed_by_creation_time(shared_home: Home) -> None:
    create(shared_home)
    assert json.loads(answer(shared_home, "identity", "list", "--created-before", "2021-01-01", "--json")) == []
    assert json.loads(answer(shared_home, "identity", "list", "--created-after", "2021-01-01T00:00:00Z", "--json"))
    assert run(shared_home, "identity", "list", "--created-after", "yesterday").returncode == 2


def test_what_cannot_be_undone_asks_first(shared_home: Home) -> None:
    identity = create(shared_home)
    for command in ("identity delete", "token revoke"):
        assert "--yes" in refusal(shared_home, *command.split(), "--user", identity)
    assert identity in answer(shared_home, "identity", "show", "--user", identity)


def test_token_is_issued_in_the_shape_that_az_has(shared_home: Home) -> None:
    issued = json.loads(
        answer(shared_home, "token", "issue", "--scope", "chat", "voip", "--expires-in-minutes", "60", "--json")
    )
    assert sorted(issued) == ["expires_on", "token", "user_id"]
    claims = json.loads(answer(shared_home, "token", "inspect", issued["token"], "--json"))["claims"]
    assert claims["acsScope"] == "chat,voip"
    assert claims["exp"] - claims["iat"] == 3600
    assert f"8:{claims['skypeid']}" == issued["user_id"]


def test_scopes_may_be_given_in_every_way_that_people_try(shared_home: Home) -> None:
    identity = create(shared_home)
    for scopes in ("--scope chat --scope voip", "--scope chat,voip", "--scope chat voip"):
        printed = run(shared_home, "token", "issue", "--user", identity, *scopes.split()).stderr
        assert "scopes    chat, voip" in printed
        assert f"identity  {identity}" in printed


def test_token_is_inspected_in_words_and_said_to_be_unverified(shared_home: Home) -> None:
    token = json.loads(answer(shared_home, "token", "issue", "--scope", "voip", "--json"))["token"]
    (shared_home.folder / "token").write_text(token + "\n")
    by_argument = answer(shared_home, "token", "inspect", token)
    by_file = answer(shared_home, "token", "inspect", "--token-file", str(shared_home.folder / "token"))
    by_input = answer(shared_home, "token", "inspect", given=token)
    for printed in (by_argument, by_file, by_input):
        assert re.search(r"scopes +voip\n", printed)
        assert re.search(r"expires .*\(in 23 h 59 min\)", printed)
        assert "decoded, not verified" in printed
    assert "no access token" in refusal(shared_home, "token", "inspect", "hello")


def test_token_of_azure_and_strange_tokens_can_be_looked_into_as_well(home: Home) -> None:
    # {"alg":"RS256","kid":"102"} . {"skypeid":"acs:a_b","exp":1665473669,"iat":99999999999999,"rgn":"emea"}
    azures = (
        "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEwMiJ9."
        "eyJza3lwZWlkIjoiYWNzOmFfYiIsImV4cCI6MTY2NTQ3MzY2OSwiaWF0Ijo5OTk5OTk5OTk5OTk5OSwicmduIjoiZW1lYSJ9.c2ln"
    )
    printed = answer(home, "token", "inspect", azures)
    assert "8:acs:a_b" in printed
    assert "ago)" in printed
    assert "RS256, key 102" in printed


def test_revoking_is_told(shared_home: Home) -> None:
    result = run(shared_home, "token", "revoke", "--user", create(shared_home), "-y")
    assert (result.returncode, result.stdout) == (0, "")
    assert "Revoked all access tokens" in result.stderr


def test_refusals_of_the_service_are_one_sentence(shared_home: Home) -> None:
    assert "59" in refusal(shared_home, "token", "issue", "--scope", "chat", "--expires-in-minutes", "59")
    assert "teleport" in refusal(shared_home, "token", "issue", "--scope", "teleport")
    assert "not sent" in refusal(shared_home, "identity", "show", "--user", "")


def test_secret_may_come_from_a_file_or_standard_input(shared_home: Home, shared_server: Server) -> None:
    text = shared_server.connection_string
    (shared_home.folder / "secret").write_text(text)
    create(shared_home, "--connection-string-file", str(shared_home.folder / "secret"))
    answer(shared_home, "identity", "create", "--connection-string-file", "-", given=text)
    assert "is empty" in refusal(shared_home, "identity", "create", "--connection-string-file", "-")
    assert "cannot be read" in refusal(shared_home, "identity", "create", "--connection-string-file", "/nowhere")


def test_wrong_key_is_denied_and_never_repeated(shared_home: Home, shared_server: Server) -> None:
    wrong = f"endpoint={shared_server.endpoint};accesskey=d3Jvbmcga2V5"
    complaint = refusal(shared_home, "identity", "create", environment={VARIABLES[0]: wrong})
    assert "401 Denied" in complaint
    assert "d3Jvbmcga2V5" not in complaint


def test_without_one_server_to_speak_to_it_says_how_to_name_one(home: Home) -> None:
    assert "--connection-string" in refusal(home, "identity", "create")
    with server(home, "dev"), server(home, "dev"):
        assert "Several servers are running" in refusal(home, "identity", "create")
