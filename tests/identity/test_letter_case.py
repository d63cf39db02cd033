"""Requests in other spellings than the published one: what hand-written clients send, answered like the usual ones."""

import json
from collections.abc import Callable

import pytest

from tests.support.signed import EARLY, NEWEST, PREVIEW, SignedClient
from tests.support.standing import is_live

BOM = b"\xef\xbb\xbf"


def test_capitals_as_c_sharp_writes_them_create_an_identity_with_a_token(client: SignedClient) -> None:
    body = b'{"CreateTokenWithScopes":["chat"],"ExpiresInMinutes":60,"CustomId":"capital"}'
    reply = client.create(body, PREVIEW)
    assert reply.status == 201
    assert reply.json["identity"]["customId"] == "capital"
    assert is_live(client, reply.json["accessToken"]["token"])
    assert client.create({"customId": "capital"}, PREVIEW).json["identity"]["id"] == reply.json["identity"]["id"]


def test_of_two_spellings_the_last_one_counts(client: SignedClient) -> None:
    assert "accessToken" not in client.create(b'{"createTokenWithScopes":["chat"],"CreateTokenWithScopes":[]}').json
    assert "accessToken" in client.create(b'{"CreateTokenWithScopes":[],"createTokenWithScopes":["chat"]}').json


def test_a_token_is_issued_after_a_byte_order_mark_and_in_capitals(client: SignedClient) -> None:
    id = client.new_identity()
    reply = client.issue(id, BOM + b'{"SCOPES":["voip"]}')
    assert reply.status == 200
    assert is_live(client, reply.json["token"])
    refused = client.issue(id, b'{"Scopes":["Voip"]}')
    assert (refused.status, refused.error["target"]) == (400, "scopes"), "a scope is no name"


def test_a_cut_off_counts_in_any_case(client: SignedClient) -> None:
    id = client.new_identity()
    token = client.new_token(id)
    assert client.update(id, BOM + b'{"TOKENSVALIDFROM":"2100-01-01T00:00:00Z"}').status == 204
    assert not is_live(client, token)


@pytest.mark.parametrize("spell", [str.upper, str.lower, str.title, str.swapcase])
def test_paths_are_read_in_any_case_and_signed_as_they_were_sent(
    client: SignedClient, spell: Callable[[str], str]
) -> None:
    created = client.call("POST", f"{spell('/identities')}?api-version={NEWEST}", {"createTokenWithScopes": ["chat"]})
    assert created.status == 201
    id, first = created.json["identity"]["id"], created.json["accessToken"]["token"]
    issued = client.call("POST", f"{spell('/identities')}/{id}/{spell(':issueAccessToken')}?api-version={NEWEST}",
                         {"scopes": ["chat"]})  # fmt: skip
    early = client.call(
        "POST", f"{spell('/identities')}/{id}/{spell('token')}?api-version={EARLY}", {"scopes": ["voip"]}
    )
    assert (issued.status, early.status, early.json["id"]) == (200, 200, id)
    assert issued.headers["api-supported-versions"] == created.headers["api-supported-versions"]
    revoked = client.call("POST", f"{spell('/identities')}/{id}/{spell(':revokeAccessTokens')}?api-version={NEWEST}")
    assert revoked.status == 204
    assert not any(is_live(client, token) for token in (first, issued.json["token"], early.json["token"]))
    assert client.call("DELETE", f"{spell('/identities')}/{id}?api-version={NEWEST}").status == 204


def test_a_path_in_another_case_than_the_signed_one_is_refused(client: SignedClient) -> None:
    request = client.sign("POST", f"/identities?api-version={NEWEST}")
    request.target = f"/Identities?api-version={NEWEST}"
    assert client.send(request).status == 401


def test_an_encoded_path_is_read_in_any_case_too(client: SignedClient) -> None:
    id = client.new_identity().replace(":", "%3A")
    target = f"/%49dentities/{id}/%3aISSUEaccessToken?API-VERSION={NEWEST}"
    assert client.call("POST", target, {"scopes": ["chat"]}).status == 200


def test_no_path_is_found_by_a_letter_that_only_looks_alike(client: SignedClient) -> None:
    id = client.new_identity()
    # The Kelvin sign, whose lower case is a k to Python.
    target = f"/identities/{id}/to%E2%84%AAen?api-version={EARLY}"
    assert client.call("POST", target, {"scopes": ["chat"]}).status == 404


def test_a_method_that_a_path_does_not_have_is_told_in_any_case(client: SignedClient) -> None:
    reply = client.call("PUT", f"/IDENTITIES?api-version={NEWEST}")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("text", ["pstn", "chat.join", "Chat", "urn:x/y_z-1"])
def test_the_earliest_version_issues_for_any_scope(client: SignedClient, text: str) -> None:
    id = client.new_identity()
    target = f"/identities/{id}/token?api-version={EARLY}"
    reply = client.call("POST", target, {"scopes": ["chat", text, text]})
    assert reply.status == 200
    body = f"token={reply.json['token']}".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.call("POST", "/introspect", body, headers=headers).json["scope"] == f"chat {text}"


@pytest.mark.parametrize("text", ["", "chat,voip", "a b", "a" * 65, "é", "a?"])
def test_the_earliest_version_says_which_scopes_it_refuses(client: SignedClient, text: str) -> None:
    target = f"/identities/{client.new_identity()}/token?api-version={EARLY}"
    reply = client.call("POST", target, {"scopes": ["chat", text]})
    assert (reply.status, reply.error["target"]) == (400, "Scopes")
    assert reply.error["message"] == "Scopes: A scope has 1 to 64 characters, out of A-Z, a-z, 0-9 and .-_:/."
    assert client.call("POST", target, {"scopes": []}).error["message"] == "Invalid scopes - Scopes field is required."


def test_the_newest_version_makes_an_identity_of_its_own_for_each_custom_id(client: SignedClient) -> None:
    """What the next .NET client sends by default: the version that does not know the member."""
    known = client.create({"customId": "known"}, PREVIEW).json["identity"]["id"]
    ids = {client.create({"customId": "known"}, "2026-09-23").json["identity"]["id"] for _ in range(2)}
    assert len(ids | {known}) == 3


def test_the_tutorials_body_is_refused_and_creates_nothing(client: SignedClient) -> None:
    before = client.listed("?maxPageSize=1000")
    for body in (b'["chat"]', json.dumps(json.dumps({"createTokenWithScopes": ["chat"]})).encode()):
        assert client.create(body).status == 400
    assert client.listed("?maxPageSize=1000") == before
