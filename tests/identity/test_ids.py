"""Identifiers in the path: spelled in any way a client spells them, foreign, unknown, or no identifiers at all."""

from urllib.parse import quote

import pytest

from tests.support.signed import EARLY, NEWEST, PREVIEW, ZERO_ID, SignedClient
from tests.support.standing import is_live

UNKNOWN_FLAKE = "00000005-14a2-493b-8a72-5a3a0d000081"


def every_operation(client: SignedClient, id: str) -> list[tuple[int, str]]:
    calls = [
        ("GET", "", PREVIEW, b""),
        ("DELETE", "", NEWEST, b""),
        ("POST", "/:revokeAccessTokens", NEWEST, b""),
        ("POST", "/:issueAccessToken", NEWEST, b'{"scopes":["chat"]}'),
        ("POST", "/token", EARLY, b'{"scopes":["chat"]}'),
        ("PATCH", "", EARLY, b'{"tokensValidFrom":"2020-01-01T00:00:00Z"}'),
        ("PATCH", "", EARLY, b"{}"),
    ]
    replies = [
        client.call(method, f"/identities/{id}{path}?api-version={version}", body)
        for method, path, version, body in calls
    ]
    return [(reply.status, reply.error["code"]) for reply in replies]


@pytest.mark.parametrize("spell", [str, quote, str.upper, lambda id: quote(id, safe="").lower(), lambda id: id + "/"])
def test_an_identifier_may_be_spelled_as_clients_do(client: SignedClient, spell: object) -> None:
    assert callable(spell)
    id = client.new_identity()
    # `8:ACS:` is no identifier, but a guid in upper case is.
    spelled = str(spell(id)).replace("8:ACS:", "8:acs:")
    assert client.call("GET", f"/identities/{spelled}?api-version={PREVIEW}").status == 200


@pytest.mark.parametrize("spelled", [str, lambda id: quote(id, safe="")], ids=["colons", "escapes"])
def test_the_whole_life_of_an_identity_in_either_spelling(client: SignedClient, spelled: object) -> None:
    assert callable(spelled)
    id = spelled(client.new_identity())
    token = client.new_token(id)
    assert is_live(client, token)
    assert (client.revoke(id).status, client.delete(id).status) == (204, 204)
    assert not is_live(client, token)


def test_an_identity_of_another_resource_is_not_owned(client: SignedClient) -> None:
    foreign = f"8:acs:4ccc92c8-9815-4422-bddc-ceea181dc774_{UNKNOWN_FLAKE}"
    for id in (ZERO_ID, foreign):
        assert set(every_operation(client, id)) == {(401, "IdentityNotOwned")}
    reply = client.delete(ZERO_ID)
    assert reply.error == {"code": "IdentityNotOwned", "message": "Provided identity doesn't belong to the resource."}
    assert "www-authenticate" not in reply.headers


def test_an_identity_that_never_was_is_not_found(client: SignedClient) -> None:
    own = client.new_identity().partition("_")[0]
    for flake in (UNKNOWN_FLAKE, "ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000-0000-0000-0000-000000000000"):
        assert set(every_operation(client, f"{own}_{flake}")) == {(404, "IdentityNotFound")}


@pytest.mark.parametrize(
    "id",
    [
        "bob",
        "4:+15551234",
        "8:orgid:4ccc92c8",
        ZERO_ID.removeprefix("8:"),
        ZERO_ID[:-1],
        ZERO_ID + "0",
        ZERO_ID + "_wf",
        ZERO_ID.replace("_", "-"),
        ZERO_ID.replace("0", "%D9%A0"),
        ZERO_ID + "%00",
        ZERO_ID + "%0A",
        ZERO_ID + "%20",
        "%20" + ZERO_ID,
        "%ff",
        "%C3%A9",
        "%F0%9F%92%AC",
        "%00",
        "%",
        "%zz",
        "+",
        "~",
        "x" * 20_000,
        "%41" * 5_000,
        "'%20or%20'1'='1",
        "..;",
        "%2e%2e",
        "8:acs:{id}_{id}",
    ],
)
def test_what_is_no_identifier_is_told_so(client: SignedClient, id: str) -> None:
    kept = client.new_token(client.new_identity())
    assert set(every_operation(client, id)) == {(400, "ValidationError")}
    assert is_live(client, kept)


@pytest.mark.parametrize("id", ["a%2Fb", "..%2f..%2fidentities", "/", "a/b/c", "%2F", "%5c..%5c"])
def test_path_tricks_lead_nowhere(client: SignedClient, id: str) -> None:
    before = client.listed("?maxPageSize=1000")
    assert {status for status, _ in every_operation(client, id)} <= {400, 404, 405}
    assert client.listed("?maxPageSize=1000") == before
