"""Callers of the management API without an operator's token: whose token is good there, and what its role allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.entra.conftest import Bear
from tests.management.support import GROUPS, Manager, resource_path
from tests.support.data import transact
from tests.support.provider import APPLICATION, OTHER_TENANT, PRINCIPAL, USER, Provider, another_key
from watchword.entra.store import assign_management_role, remove_management_role
from watchword.resources.operators import Role
from watchword.testing import RunningServer

AUDIENCE = "https://management.azure.com/"
AUDIENCES = [
    f"https://{host}.azure.com{slashes}" for host in ("management", "communication") for slashes in ("", "/", "//")
]
BODY = {"location": "westeurope"}


@pytest.fixture(autouse=True)
def nobody_manages(server: RunningServer) -> Iterator[None]:
    """Leave no role behind."""
    yield
    for principal in (PRINCIPAL, APPLICATION, USER):
        take(server, principal)


def give(server: RunningServer, principal: str, role: Role) -> None:
    transact(server, lambda transaction: assign_management_role(transaction, principal, role, now_micros=0))


def take(server: RunningServer, principal: str) -> None:
    transact(server, lambda transaction: remove_management_role(transaction, principal))


def refused(server: RunningServer, token: str, method: str = "GET", path: str = GROUPS) -> tuple[int, str, str]:
    reply = Manager(server, token).call(method, path, BODY if method in ("PUT", "PATCH") else None)
    error = reply.json()["error"]
    return reply.status_code, error["code"], error["message"]


@pytest.mark.parametrize("audience", AUDIENCES)
def test_a_contributor_goes_the_whole_way(server: RunningServer, provider: Provider, audience: str) -> None:
    give(server, PRINCIPAL, "contributor")
    manager = Manager(server, provider.token(audience))
    assert manager.create("made", "by-entra")["primaryKey"]
    assert manager.call("GET", resource_path("made", "by-entra")).status_code == 200
    assert manager.call("DELETE", resource_path("made", "by-entra")).status_code in (200, 202, 204)


def test_a_reader_looks_and_changes_nothing(server: RunningServer, provider: Provider) -> None:
    give(server, PRINCIPAL, "reader")
    token = provider.token(AUDIENCE)
    assert Manager(server, token).call("GET", GROUPS).status_code == 200
    assert Manager(server, token).call("HEAD", f"{GROUPS}/nowhere").status_code == 404
    for method, path in [
        ("PUT", f"{GROUPS}/new"),
        ("DELETE", f"{GROUPS}/new"),
        ("PATCH", f"{GROUPS}/new"),
        ("POST", f"{resource_path('new', 'any')}/listKeys"),
    ]:
        status, code, message = refused(server, token, method, path)
        assert (status, code) == (403, "AuthorizationFailed")
        assert message.startswith("A reader may look")


def test_a_role_counts_from_the_next_call_on(server: RunningServer, provider: Provider) -> None:
    manager = Manager(server, provider.token(AUDIENCE))
    change = ("PUT", f"{GROUPS}/again", BODY)
    assert manager.call(*change).status_code == 403
    give(server, PRINCIPAL, "contributor")
    assert manager.call(*change).status_code in (200, 201)
    give(server, PRINCIPAL, "reader")
    assert manager.call(*change).status_code == 403
    assert manager.call("GET", GROUPS).status_code == 200
    take(server, PRINCIPAL)
    assert manager.call("GET", GROUPS).status_code == 403


def test_the_stronger_role_of_principal_and_application_counts(server: RunningServer, provider: Provider) -> None:
    give(server, PRINCIPAL, "reader")
    give(server, APPLICATION, "contributor")
    assert Manager(server, provider.token(AUDIENCE)).call("PUT", f"{GROUPS}/both", BODY).status_code in (200, 201)


def test_a_user_has_no_role_by_the_application_that_the_user_is_at(server: RunningServer, provider: Provider) -> None:
    give(server, APPLICATION, "contributor")
    token = provider.user_token(AUDIENCE, scp="user_impersonation")
    assert refused(server, token)[0] == 403
    give(server, USER, "reader")
    assert Manager(server, token).call("GET", GROUPS).status_code == 200


def test_a_role_on_a_resource_is_none_on_the_server(server: RunningServer, provider: Provider) -> None:
    status, code, message = refused(server, provider.token(AUDIENCE))
    assert (status, code) == (403, "AuthorizationFailed")
    assert message.startswith(f"The principal {PRINCIPAL} has no role on the management API.")


def test_a_role_on_the_server_is_none_on_a_resource(server: RunningServer, provider: Provider, bear: Bear) -> None:
    give(server, PRINCIPAL, "contributor")
    assert bear(provider.token(appid="another")).status == 401
    assert bear(provider.token(AUDIENCE)).status == 401


@pytest.mark.parametrize(
    ("claims", "sentence"),
    [
        (
            {"audience": "https://graph.microsoft.com/"},
            "The audience (aud) of the Entra ID token is another: https://g",
        ),
        ({"audience": f"{AUDIENCE}//"}, "The audience (aud) of the Entra ID token is another: "),
        (
            {"audience": "https://communication.azure.com/clients"},
            "The audience (aud) of the Entra ID token is another",
        ),
        ({"tid": OTHER_TENANT}, "The Entra ID token is of a tenant (tid) that is not accepted here."),
        ({"exp": 1_600_000_000}, "The Entra ID token has expired."),
        ({"iss": "https://sts.windows.net/elsewhere/"}, "The issuer (iss) of the token is none of those"),
    ],
)
def test_a_refusal_says_which_check_failed(
    server: RunningServer, provider: Provider, claims: dict[str, Any], sentence: str
) -> None:
    give(server, PRINCIPAL, "contributor")
    status, code, message = refused(server, provider.token(**({"audience": AUDIENCE} | claims)))
    assert (status, code) == (401, "AuthenticationFailed")
    assert message.startswith(sentence)


def test_a_token_expires_while_the_role_stays(server: RunningServer, provider: Provider) -> None:
    give(server, PRINCIPAL, "contributor")
    manager = Manager(server, provider.token(AUDIENCE))
    assert manager.call("GET", GROUPS).status_code == 200
    provider.clock.move(timedelta(minutes=62))
    assert manager.call("GET", GROUPS).status_code == 401


def test_a_key_of_nobody_and_what_is_no_token_prove_nothing(server: RunningServer, provider: Provider) -> None:
    give(server, PRINCIPAL, "contributor")
    for token in (provider.token(AUDIENCE, key=another_key()), "nonsense", "wwo_0_0"):
        assert refused(server, token)[:2] == (401, "AuthenticationFailed")


def test_operators_keep_managing_beside(server: RunningServer) -> None:
    assert Manager(server).call("GET", GROUPS).status_code == 200
