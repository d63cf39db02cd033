"""Callers without an access key: whose token is good, and which sentence says why another is not."""

import json
from typing import Any

import pytest

from tests.entra.conftest import Bear, give_role, take_role
from tests.support.provider import OTHER_TENANT, PRINCIPAL, USER, Provider, another_key
from tests.support.signed import SignedClient
from tests.support.tokens import header_of, sign_anything
from watchword.testing import RunningServer
from watchword.tokens.issuer import new_signing_key
from watchword.tokens.jwks import decode_base64url

DENIED = "Denied by the resource provider. "


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decode_base64url(token.split(".")[1]))
    return found


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_a_principal_with_a_role_goes_the_whole_way(provider: Provider, bear: Bear, slashes: str) -> None:
    token = provider.token(f"https://communication.azure.com{slashes}")
    created = bear(token, body=b'{"createTokenWithScopes":["chat"]}')
    assert created.status == 201
    id = created.json["identity"]["id"]
    assert "accessKey" not in claims_of(created.json["accessToken"]["token"])
    assert bear(token, path=f"/identities/{id}/:issueAccessToken", body=b'{"scopes":["voip"]}').status == 200
    assert bear(token, path=f"/identities/{id}/:revokeAccessTokens").status == 204
    assert bear(token, "DELETE", f"/identities/{id}").status == 204


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        ({"audience": "https://management.azure.com/"}, "The audience (aud) of the Entra ID token is another: http"),
        ({"tid": OTHER_TENANT}, "The Entra ID token is of a tenant (tid) that is not accepted here."),
        ({"tid": None}, "The Entra ID token is of a tenant (tid) that is not accepted here."),
        ({"exp": 1_600_000_000}, "The Entra ID token has expired."),
        ({"nbf": 4_000_000_000}, "The Entra ID token is not valid yet (nbf)."),
        ({"oid": USER, "sub": USER, "appid": "another"}, f"The principal {USER} has no role on this resource."),
        ({"iss": "https://sts.windows.net/elsewhere/"}, "The issuer (iss) of the token is none of those"),
        ({"iss": None}, "The token names no issuer (iss)."),
        ({"exp": None}, "The token lacks an issuer (iss), an audience (aud) or an expiry (exp)."),
        ({"exp": "tomorrow"}, "The token lacks an issuer (iss), an audience (aud) or an expiry (exp)."),
        ({"oid": None, "sub": None}, "The token names nobody"),
    ],
)
def test_a_refusal_says_which_check_failed(
    provider: Provider, bear: Bear, claims: dict[str, Any], sentence: str
) -> None:
    reply = bear(provider.token(**claims))
    assert (reply.status, reply.error["code"]) == (401, "Denied")
    assert reply.error["message"].startswith(DENIED + sentence)
    assert "www-authenticate" not in reply.headers


def test_a_signature_of_a_strangers_key_is_refused_under_either_name(provider: Provider, bear: Bear) -> None:
    stranger = another_key()
    assert "signing key that is not in the key set" in bear(provider.token(key=stranger)).error["message"]
    head, _, rest = provider.token().partition(".")
    forged = f"{head}.{provider.token(key=stranger).partition('.')[2]}"
    assert bear(forged).status == 401
    assert bear(f"{head}.{rest[:-8]}AAAAAAAA").status == 401


def test_a_user_has_no_role_by_the_application_that_the_user_is_at(provider: Provider, bear: Bear) -> None:
    for claims in (
        {"oid": USER, "sub": "pairwise", "scp": "user_impersonation"},
        {"oid": USER, "sub": USER, "scope": "openid profile"},
        {"oid": USER, "sub": "pairwise"},
        {"oid": None, "sub": USER},
    ):
        reply = bear(provider.token(**claims))
        assert reply.status == 401
        assert "has no role" in reply.error["message"]


def test_a_role_goes_and_takes_the_calls_and_not_the_tokens(
    provider: Provider, bear: Bear, server: RunningServer, client: SignedClient
) -> None:
    give_role(server, PRINCIPAL)
    token = provider.token(appid="another")
    issued = bear(token, body=b'{"createTokenWithScopes":["chat"]}').json["accessToken"]["token"]
    take_role(server, PRINCIPAL)
    assert "has no role" in bear(token).error["message"]
    assert client.call("POST", "/introspect", f"token={issued}".encode(), headers=FORM).json["active"] is True


def test_watchwords_tokens_and_the_providers_never_stand_in_for_each_other(
    provider: Provider, bear: Bear, client: SignedClient
) -> None:
    own = client.new_token(client.new_identity())
    assert bear(own).error["message"] == (
        DENIED + "The issuer (iss) of the token is none of those that are accepted here."
    )
    foreign = f"token={provider.token()}".encode()
    assert client.call("POST", "/introspect", foreign, headers=FORM).json == {"active": False}
    # Nor does one whose claims are those of an access token, signed by the provider.
    forged = sign_anything(header_of(provider.key), claims_of(own), provider.key)
    assert client.call("POST", "/introspect", f"token={forged}".encode(), headers=FORM).json == {"active": False}
    assert bear(forged).status == 401


def test_a_token_of_an_algorithm_that_is_not_its_keys_is_refused(provider: Provider, bear: Bear) -> None:
    other = new_signing_key("ES256")
    # The header says ES256 under the name of the provider's key, which is of RSA.
    forged = sign_anything(header_of(other, kid=provider.key.kid), claims_of(provider.token()), other)
    reply = bear(forged)
    assert reply.status == 401
    assert "algorithm" in reply.error["message"]


def test_what_is_no_token_is_refused_in_words(bear: Bear) -> None:
    for text in ("x", "a.b", "a.b.c", "e30.e30.e30", "é", "." * 5, "A" * 9_000):
        assert bear(text).status == 401


def test_keys_go_on_being_good_beside_bearers(client: SignedClient) -> None:
    assert client.create().status == 201


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
