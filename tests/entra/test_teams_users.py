"""The exchange for Teams users: in every api-version, with the recorded order of checks and wording."""

import json
import logging
from typing import Any

import pytest

from tests.support.exchanges import (
    FORM,
    is_active,
)
from tests.support.polling import until
from tests.support.provider import APPLICATION, CLIENTS, OTHER_TENANT, PRINCIPAL, TEAMS, USER, Provider
from tests.support.signed import PREVIEW, Reply, SignedClient

TEAMS_SCOPES = "Teams.ManageCalls Teams.ManageChats"
TEAMS_VERSIONS = ["2022-06-01", "2022-10-01", "2023-10-01", PREVIEW, "2025-06-30", "2026-07-22", "2026-09-23"]


def teams(client: SignedClient, version: str, **fields: Any) -> Reply:
    return client.call("POST", f"/teamsUser/:exchangeAccessToken?api-version={version}", fields)


@pytest.mark.parametrize("version", TEAMS_VERSIONS)
def test_a_teams_users_token_is_exchanged(provider: Provider, client: SignedClient, version: str) -> None:
    token = provider.user_token(TEAMS, TEAMS_SCOPES)
    reply = teams(client, version, token=token, appId=APPLICATION, userId=USER.upper())
    assert reply.status == 200
    answer = client.call("POST", "/introspect", f"token={reply.json['token']}".encode(), headers=FORM).json
    assert (answer["sub"], answer["scope"]) == (f"8:orgid:{USER}", "chat voip")
    assert client.revoke(f"8:orgid:{USER}").status == 204
    assert not is_active(client, reply.json["token"])


def test_the_first_version_asks_for_the_token_alone(provider: Provider, client: SignedClient) -> None:
    token = provider.user_token(TEAMS, "Teams.ManageCalls")
    assert teams(client, "2021-10-31-preview", token=token).status == 200


@pytest.mark.parametrize("version", TEAMS_VERSIONS)
@pytest.mark.parametrize(
    ("field", "given", "error"),
    [
        ("appId", "", ("AppId: The AppId field is required.", "AppId", False)),
        ("appId", None, ("AppId: The AppId field is required.", "AppId", False)),
        ("appId", "invalid", ("Provided AppId has invalid format.", "appId", True)),
        ("appId", PRINCIPAL, ("AAD application is not the expected one.", "appId", True)),
        ("userId", "", ("UserId: The UserId field is required.", "UserId", False)),
        ("userId", "invalid", ("Provided UserId has invalid format.", "userId", True)),
        ("userId", PRINCIPAL, ("Provided AAD token issued for unexpected user.", "userId", True)),
    ],
)
def test_what_the_caller_named_wrongly_is_told_as_recorded(
    provider: Provider,
    client: SignedClient,
    version: str,
    field: str,
    given: str | None,
    error: tuple[str, str, bool],
) -> None:
    fields = {"token": provider.user_token(TEAMS, TEAMS_SCOPES), "appId": APPLICATION, "userId": USER}
    reply = teams(client, version, **(fields | {field: given}))
    message, target, lists_versions = error
    assert (reply.status, reply.error) == (400, {"code": "ValidationError", "message": message, "target": target})
    assert ("api-supported-versions" in reply.headers) is lists_versions


@pytest.mark.parametrize(
    "token",
    [
        lambda provider: "",
        lambda provider: "invalid",
        lambda provider: None,
        lambda provider: provider.user_token(TEAMS, TEAMS_SCOPES, exp=1_600_000_000),
        lambda provider: provider.user_token(TEAMS, TEAMS_SCOPES, exp=provider.clock.micros() // 1_000_000 - 5),
        lambda provider: provider.user_token(TEAMS, TEAMS_SCOPES, tid=OTHER_TENANT),
        lambda provider: provider.user_token(CLIENTS, TEAMS_SCOPES),
        lambda provider: provider.user_token(TEAMS, "User.Read"),
        lambda provider: provider.token(TEAMS),
    ],
    ids=["empty", "invalid", "none", "expired", "just expired", "tenant", "audience", "scope", "application"],
)
def test_a_bad_token_is_refused_before_anything_beside_it(provider: Provider, client: SignedClient, token: Any) -> None:
    reply = teams(client, "2022-10-01", token=token(provider), appId="", userId="")
    expected = {"code": "InvalidAccessToken", "message": "Provided access token is not valid."}
    assert (reply.status, reply.error) == (401, expected)
    assert "api-supported-versions" not in reply.headers


def test_a_body_that_is_none_is_refused(client: SignedClient) -> None:
    for body in (b"[]", b"{", json.dumps({"token": 5}).encode()):
        target = "/teamsUser/:exchangeAccessToken?api-version=2023-10-01"
        assert client.call("POST", target, body).error["code"] == "ValidationError"


def test_the_log_says_why_an_exchange_was_refused_and_the_answer_does_not(
    provider: Provider, client: SignedClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    second = provider.clock.micros() // 1_000_000
    reasons = {
        provider.user_token(CLIENTS, TEAMS_SCOPES): "The audience (aud) of the Entra ID token is another: ",
        provider.user_token(TEAMS, TEAMS_SCOPES, exp=second - 100): "The Entra ID token has expired.",
        provider.user_token(TEAMS, "other"): "The Entra ID token has no scope of Teams.",
        "none": "",
    }
    for token, reason in reasons.items():
        caplog.clear()
        reply = teams(client, PREVIEW, token=token, appId=APPLICATION, userId=USER)
        assert reply.error["message"] == "Provided access token is not valid."
        lines = until(lambda: [json.loads(each) for each in caplog.messages], bool)
        assert lines[0]["reason"].startswith(f"Provided access token is not valid. {reason}")
        assert token not in lines[0]["reason"] or token == "none"
