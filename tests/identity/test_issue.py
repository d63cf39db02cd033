"""POST /identities/{id}/:issueAccessToken: scopes and lifetimes, version by version."""

import base64
import json
from datetime import datetime
from typing import Any

import pytest

from tests.support.signed import EARLY, NEWEST, PREVIEW, SignedClient
from tests.support.standing import is_live
from watchword.wire import versions

ALL_SCOPES = ["chat", "voip", "chat.join", "chat.join.limited", "voip.join"]
JOIN_SCOPES = ALL_SCOPES[2:]


def claims(token: str) -> dict[str, Any]:
    # With the standard alphabet and no care, as the official Python client reads it.
    found: dict[str, Any] = json.loads(base64.b64decode(token.split(".")[1] + "==").decode("ascii"))
    return found


@pytest.fixture
def id(client: SignedClient) -> str:
    return client.new_identity()


@pytest.mark.parametrize(
    "scopes",
    [[scope] for scope in ALL_SCOPES]
    + [["voip", "chat"], ["chat", "chat.join", "chat.join.limited"], ["voip", "voip.join"], ALL_SCOPES],
)
def test_the_token_says_the_scopes_in_the_order_asked_for(client: SignedClient, id: str, scopes: list[str]) -> None:
    reply = client.issue(id, {"scopes": scopes})
    assert (reply.status, list(reply.json)) == (200, ["token", "expiresOn"])
    assert claims(reply.json["token"])["acsScope"] == ",".join(scopes)
    assert is_live(client, reply.json["token"])


def test_a_scope_that_is_named_twice_counts_once(client: SignedClient, id: str) -> None:
    reply = client.issue(id, {"scopes": ["voip", "chat", "voip"]})
    assert claims(reply.json["token"])["acsScope"] == "voip,chat"


@pytest.mark.parametrize("version", versions.ALL.since(versions.V2021_02_22_PREVIEW1))
def test_every_version_issues_chat_and_voip(client: SignedClient, id: str, version: str) -> None:
    reply = client.issue(id, {"scopes": ["chat", "voip"]}, version)
    assert reply.status == 200
    assert claims(reply.json["token"])["skypeid"] == id.removeprefix("8:")


@pytest.mark.parametrize("scope", JOIN_SCOPES)
@pytest.mark.parametrize("version", versions.ALL.between(versions.V2021_02_22_PREVIEW1, versions.V2022_10_01))
def test_join_scopes_begin_with_2023_10_01(client: SignedClient, id: str, version: str, scope: str) -> None:
    reply = client.issue(id, {"scopes": ["chat", scope]}, version)
    assert (reply.status, reply.error["code"], reply.error["target"]) == (400, "ValidationError", "scopes")
    assert reply.error["message"] == f"Invalid scopes - '{scope}' is not supported. Supported scopes: chat, voip."


@pytest.mark.parametrize("scope", ["", "Chat", "chat ", "chat,voip", "admin", "ü", "x" * 5_000, "💬\x00"])
def test_an_unknown_scope_is_refused_and_the_known_ones_are_named(client: SignedClient, id: str, scope: str) -> None:
    reply = client.issue(id, {"scopes": ["chat", scope]})
    assert (reply.status, reply.error["target"]) == (400, "scopes")
    assert reply.error["message"].endswith(f"Supported scopes: {', '.join(ALL_SCOPES)}.")
    assert len(reply.error["message"]) < 250


def test_scopes_must_be_there(client: SignedClient, id: str) -> None:
    for version in versions.ALL.since(versions.V2021_02_22_PREVIEW1):
        empty = client.issue(id, {"scopes": []}, version)
        assert (empty.status, empty.error) == (
            400,
            {"code": "ValidationError", "message": "Invalid scopes - Scopes field is required.", "target": "scopes"},
        )
        assert "api-supported-versions" in empty.headers
        for body in (b"", b"{}", b'{"scopes":null}'):
            missing = client.issue(id, body, version)
            assert (missing.status, missing.error) == (
                400,
                {"code": "ValidationError", "message": "Scopes: The Scopes field is required.", "target": "Scopes"},
            )
            # Model validation comes before the service's own answer, which alone lists versions.
            assert "api-supported-versions" not in missing.headers


@pytest.mark.parametrize(("minutes", "lives"), [(60, 60), (61, 61), (1440, 1440), (None, 1440), ("absent", 1440)])
def test_the_lifetime_is_what_was_asked_for(client: SignedClient, id: str, minutes: Any, lives: int) -> None:
    asked = {"scopes": ["chat"]} | ({} if minutes == "absent" else {"expiresInMinutes": minutes})
    before = client.server.clock.now()
    reply = client.issue(id, asked)
    after = client.server.clock.now()
    expires = datetime.fromisoformat(reply.json["expiresOn"])
    said = claims(reply.json["token"])
    assert said["exp"] - said["iat"] == lives * 60
    assert before.timestamp() + lives * 60 <= expires.timestamp() <= after.timestamp() + lives * 60
    assert int(expires.timestamp()) == said["exp"]


@pytest.mark.parametrize("minutes", [59, 1441])
@pytest.mark.parametrize("version", versions.ALL.since(versions.V2022_10_01))
def test_a_lifetime_out_of_range_is_refused(client: SignedClient, id: str, version: str, minutes: int) -> None:
    reply = client.issue(id, {"scopes": ["chat"], "expiresInMinutes": minutes}, version)
    assert (reply.status, reply.error) == (
        400,
        {
            "code": "ValidationError",
            "message": f"ExpiresInMinutes value {minutes} is invalid. Value must be within the [60, 1440] interval.",
            "target": "ExpiresInMinutes",
        },
    )


@pytest.mark.parametrize("version", versions.ALL.between(versions.V2021_02_22_PREVIEW1, versions.V2022_06_01))
def test_older_versions_ignore_the_lifetime(client: SignedClient, id: str, version: str) -> None:
    reply = client.issue(id, {"scopes": ["chat"], "expiresInMinutes": 59}, version)
    assert reply.status == 200
    said = claims(reply.json["token"])
    assert said["exp"] - said["iat"] == 24 * 3_600


def test_no_two_tokens_are_the_same(client: SignedClient, id: str) -> None:
    client.server.clock.stop()
    tokens = [claims(client.new_token(id)) for _ in range(20)]
    assert len({said["jti"] for said in tokens}) == 20
    times = [said["iatMicros"] for said in tokens]
    assert times == sorted(set(times))


def test_the_early_version_answers_with_the_identity_too(client: SignedClient, id: str) -> None:
    reply = client.call("POST", f"/identities/{id}/token?api-version={EARLY}", {"scopes": ["chat"]})
    assert (reply.status, list(reply.json)) == (200, ["id", "token", "expiresOn"])
    assert reply.json["id"] == id
    assert is_live(client, reply.json["token"])


@pytest.mark.parametrize(
    ("method", "path", "version"),
    [
        ("POST", "/token", NEWEST),
        ("POST", "/token", PREVIEW),
        ("POST", "/:issueAccessToken", EARLY),
        ("POST", "/:revokeAccessTokens", EARLY),
        ("PATCH", "", NEWEST),
    ],
)
def test_operations_answer_only_in_their_own_versions(
    client: SignedClient, id: str, method: str, path: str, version: str
) -> None:
    token = client.new_token(id)
    reply = client.call(method, f"/identities/{id}{path}?api-version={version}", {"scopes": ["chat"]})
    assert (reply.status, reply.error["code"]) == (400, "UnsupportedApiVersion")
    assert "Supported: " in reply.error["message"]
    assert is_live(client, token)
