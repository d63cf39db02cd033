"""2025-03-02-preview: custom ids, and reading an identity back. No other version knows them."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.support.polling import until
from tests.support.signed import PREVIEW, Reply, SignedClient
from watchword.testing import RunningServer
from watchword.wire import versions

OTHERS = versions.ALL.since(versions.V2021_02_22_PREVIEW1).without(versions.ALL.only(PREVIEW))

ROUNDS = 20


def create(client: SignedClient, custom_id: str) -> Reply:
    return client.create({"customId": custom_id}, PREVIEW)


def test_ten_creates_at_once_with_one_custom_id_give_one_identity(server: RunningServer) -> None:
    def one(_: int) -> Reply:
        with SignedClient(server) as client:
            return create(client, "at once")

    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(one, range(10)))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    with SignedClient(server) as client:
        assert len(client.listed("?customId=at%20once")) == 1


def test_creating_again_answers_201_and_the_same_body(client: SignedClient) -> None:
    first, again = create(client, "bob@contoso.com"), create(client, "bob@contoso.com")
    assert (again.status, again.body) == (201, first.body)
    assert list(first.json["identity"]) == ["customId", "id"]


def test_deleting_the_identity_frees_its_custom_id(client: SignedClient) -> None:
    first = create(client, "freed").json["identity"]["id"]
    assert client.delete(first).status == 204
    second = create(client, "freed").json["identity"]["id"]
    assert second != first
    assert client.get(first).status == 404


def test_custom_ids_differ_by_case_and_by_every_character(client: SignedClient) -> None:
    names = ["Zoe", "zoe", "zoe ", " zoe", "zoé", "zoe\u0301", "💬", "'; drop table identities; --", "%2F.."]
    ids = {create(client, name).json["identity"]["id"] for name in names}
    assert len(ids) == len(names)
    for name in names:
        assert create(client, name).json["identity"]["customId"] == name


def test_a_custom_id_has_1_to_256_characters(client: SignedClient) -> None:
    for good in ("x", "é" * 256, "💬" * 256):
        assert create(client, good).status == 201
    for bad in ("", "x" * 257):
        reply = create(client, bad)
        assert (reply.status, reply.error["target"]) == (400, "customId")
        assert reply.error["message"] == f"CustomId must have 1 to 256 characters, not {len(bad)}."


def test_a_custom_id_with_a_nul_character_is_refused_and_nobody_has_it(client: SignedClient) -> None:
    reply = create(client, "z\x00oe")
    assert (reply.status, reply.error["target"]) == (400, "CustomId")
    assert client.listed("?customId=z%00oe") == []


def test_null_is_no_custom_id(client: SignedClient) -> None:
    replies = [client.create({"customId": None}, PREVIEW) for _ in range(2)]
    assert replies[0].body != replies[1].body
    assert list(replies[0].json["identity"]) == ["id"]


@pytest.mark.parametrize("version", OTHERS)
def test_other_versions_ignore_custom_ids_and_show_none(client: SignedClient, version: str) -> None:
    known = create(client, "elsewhere").json["identity"]["id"]
    reply = client.create({"customId": "elsewhere"}, version)
    assert list(reply.json["identity"]) == ["id"]
    assert reply.json["identity"]["id"] != known
    refused = client.call("GET", f"/identities/{known}?api-version={version}")
    assert (refused.status, refused.error["code"]) == (400, "UnsupportedApiVersion")
    assert refused.error["message"].endswith(f"does not support the API version '{version}'. Supported: {PREVIEW}.")


def test_get_shows_custom_id_and_last_token_in_their_order(client: SignedClient) -> None:
    asked = {"customId": "alice@contoso.com", "createTokenWithScopes": ["voip"], "expiresInMinutes": 120}
    created = client.create(asked, PREVIEW)
    assert created.status == 201
    identity = created.json["identity"]
    assert list(identity) == ["customId", "lastTokenIssuedAt", "id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", identity["lastTokenIssuedAt"])
    found = client.get(identity["id"])
    assert (found.status, found.json) == (200, identity)
    assert list(found.json) == ["customId", "lastTokenIssuedAt", "id"]


@pytest.mark.parametrize("asked", [{}, {"customId": "at-once"}], ids=["unnamed", "named"])
def test_a_token_that_is_made_with_an_identity_is_read_back_at_once(
    client: SignedClient, asked: dict[str, str]
) -> None:
    """It stands in the row that the create inserts: what was answered is what is read, to the second."""
    for n in range(ROUNDS):
        named = {name: f"{value}-{n}" for name, value in asked.items()}
        made = client.create(named | {"createTokenWithScopes": ["chat"]}, PREVIEW).json["identity"]
        assert "lastTokenIssuedAt" in made
        assert client.get(made["id"]).json == made


def test_a_create_that_finds_its_custom_id_moves_the_last_token_on_too(
    server: RunningServer, client: SignedClient
) -> None:
    asked = {"customId": "found again", "createTokenWithScopes": ["chat"]}
    first = client.create(asked, PREVIEW).json["identity"]
    server.clock.move(timedelta(seconds=90))
    again = client.create(asked, PREVIEW).json["identity"]
    assert again["id"] == first["id"]
    assert again["lastTokenIssuedAt"] > first["lastTokenIssuedAt"]
    until(lambda: client.get(first["id"]), lambda reply: reply.json == again)


def test_an_identity_that_is_made_without_a_token_says_so(client: SignedClient) -> None:
    made = client.create({"customId": "without"}, PREVIEW).json["identity"]
    assert list(made) == ["customId", "id"]
    assert client.get(made["id"]).json == made


def test_the_last_token_moves_on_with_every_token(server: RunningServer, client: SignedClient) -> None:
    id = client.new_identity()
    client.new_token(id)
    first = until(lambda: client.get(id), lambda reply: b"lastTokenIssuedAt" in reply.body)
    server.clock.move(timedelta(seconds=90))
    client.new_token(id)
    second = until(lambda: client.get(id), lambda reply: reply.body != first.body)
    assert second.json["lastTokenIssuedAt"] > first.json["lastTokenIssuedAt"]


def test_an_identity_without_a_custom_id_shows_its_id_alone(client: SignedClient) -> None:
    id = client.new_identity()
    assert client.get(id).body == f'{{"id":"{id}"}}'.encode()
