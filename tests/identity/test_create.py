"""POST /identities: every body that a client really sends, in every api-version."""

import re
from typing import Any

import pytest

from tests.support.signed import EARLY, NEWEST, PREVIEW, SignedClient
from tests.support.standing import is_live
from watchword.identifiers import parse_identity
from watchword.wire import versions

ID = re.compile(r"8:acs:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", {"createTokenWithScopes": []}, {"createTokenWithScopes": None, "expiresInMinutes": None}],
    ids=["empty", "object", "no scopes", "nulls"],
)
@pytest.mark.parametrize("version", versions.ALL.since(versions.V2021_02_22_PREVIEW1))
def test_without_scopes_there_is_an_identity_and_no_token(client: SignedClient, body: Any, version: str) -> None:
    reply = client.create(body, version)
    assert reply.status == 201
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert "location" not in reply.headers
    assert ID.fullmatch(reply.json["identity"]["id"])
    # Compact, and to the byte what the original writes: the shape of 101 bytes.
    assert reply.body == f'{{"identity":{{"id":"{reply.json["identity"]["id"]}"}}}}'.encode()


def test_a_content_type_without_a_body_is_no_error(client: SignedClient) -> None:
    target = f"/identities?api-version={NEWEST}"
    assert client.call("POST", target, headers={"Content-Type": "application/json"}).status == 201


@pytest.mark.parametrize("version", versions.ALL.since(versions.V2021_02_22_PREVIEW1))
def test_with_scopes_the_token_comes_along(client: SignedClient, version: str) -> None:
    reply = client.create({"createTokenWithScopes": ["voip", "chat"]}, version)
    assert reply.status == 201
    assert list(reply.json["accessToken"]) == ["token", "expiresOn"]
    assert is_live(client, reply.json["accessToken"]["token"])


@pytest.mark.parametrize("minutes", [59, 1441, 0, -1, 10**30])
def test_a_lifetime_out_of_range_creates_nothing(client: SignedClient, minutes: int) -> None:
    before = client.listed("?maxPageSize=1000")
    for scopes in (["chat"], [], None):
        reply = client.create({"createTokenWithScopes": scopes, "expiresInMinutes": minutes})
        assert (reply.status, reply.error["target"]) == (400, "ExpiresInMinutes")
        assert reply.error["message"] == (
            f"ExpiresInMinutes value {minutes} is invalid. Value must be within the [60, 1440] interval."
        )
    assert client.listed("?maxPageSize=1000") == before


@pytest.mark.parametrize("version", versions.ALL.between(versions.V2021_02_22_PREVIEW1, versions.V2022_06_01))
def test_versions_that_know_no_lifetime_ignore_it(client: SignedClient, version: str) -> None:
    assert client.create({"createTokenWithScopes": ["chat"], "expiresInMinutes": 59}, version).status == 201


@pytest.mark.parametrize(
    ("body", "target"),
    [
        (b'{"createTokenWithScopes":"chat"}', "CreateTokenWithScopes"),
        (b'{"createTokenWithScopes":[null]}', "CreateTokenWithScopes"),
        (b'{"createTokenWithScopes":{"0":"chat"}}', "CreateTokenWithScopes"),
        (b'{"expiresInMinutes":"60"}', "ExpiresInMinutes"),
        (b'{"expiresInMinutes":60.5}', "ExpiresInMinutes"),
        (b'{"expiresInMinutes":true}', "ExpiresInMinutes"),
        (b'{"expiresInMinutes":1e400}', "ExpiresInMinutes"),
        (b'{"expiresInMinutes":' + b"9" * 5_000 + b"}", "ExpiresInMinutes"),
        (b'{"customId":5}', "CustomId"),
        (b'{"customId":""}', "customId"),
        (b'{"customId":"\\ud800"}', None),
        (b'["chat"]', None),
        (b'"chat"', None),
        (b"null", None),
        (b"{", None),
        (b'{"createTokenWithScopes":["chat"]}}', None),
        (b"{'createTokenWithScopes':['chat']}", None),
        (b"createTokenWithScopes=chat", None),
        (b"\xff\xfe{\x00}\x00", None),
        (b'{"a":"\xff"}', None),
        (b"[" * 60_000, None),
        (b'{"a":' * 10_000, None),
        (b'{"a":' * 10_000 + b"0" + b"}" * 10_000, None),
        (b"\x00", None),
        (b" ", None),
    ],
)
def test_a_body_that_cannot_be_read_is_told_and_creates_nothing(
    client: SignedClient, body: bytes, target: str | None
) -> None:
    before = client.listed("?maxPageSize=1000")
    reply = client.create(body, PREVIEW)
    assert (reply.status, reply.error["code"], reply.error.get("target")) == (400, "ValidationError", target)
    assert len(reply.error["message"]) > 20
    assert client.listed("?maxPageSize=1000") == before


def test_fields_that_nobody_knows_are_ignored(client: SignedClient) -> None:
    reply = client.create({"createTokenWithScopes": ["chat"], "somethingNew": {"deep": [1, 2]}})
    assert reply.status == 201


def test_a_create_that_is_sent_again_makes_two_as_published(client: SignedClient) -> None:
    # As JavaScript and Java do when an answer was lost: to the byte, under the same signature.
    request = client.sign("POST", f"/identities?api-version={NEWEST}")
    first, again = client.send(request), client.send(request)
    assert (first.status, again.status) == (201, 201)
    assert first.json["identity"]["id"] != again.json["identity"]["id"]


def test_identifiers_have_exactly_one_underscore_and_grow(client: SignedClient) -> None:
    ids = [client.new_identity() for _ in range(50)]
    assert all(id.count("_") == 1 and id.count(":") == 2 for id in ids)
    flakes = [parsed.flake for id in ids if (parsed := parse_identity(id))]
    assert flakes == sorted(set(flakes))


def test_the_early_version_answers_200_with_the_identity_alone(client: SignedClient) -> None:
    for body in (b"", b"{}", b'{"createTokenWithScopes":["chat"]}'):
        reply = client.create(body, EARLY)
        assert (reply.status, list(reply.json)) == (200, ["id"])
        assert ID.fullmatch(reply.json["id"])
