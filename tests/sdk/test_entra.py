"""Official clients without an access key: azure-identity's credentials, and exchanges, against the issuer of `dev`."""

import asyncio
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.sdk.contract import is_active
from tests.sdk.java_client import java_command
from tests.sdk.programs import run_lines, trusting_environment
from tests.support.requirements import require
from tests.support.servers import running_server
from tests.support.signed import PREVIEW, SignedClient
from watchword.clock import SystemClock
from watchword.entra import development
from watchword.entra.development import DevelopmentIssuer, UserTokenRequest
from watchword.settings import Settings
from watchword.testing import RunningServer

_FOLDER = Path(__file__).parent
TEAMS = "https://auth.msft.communication.azure.com"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, entra=True)) as running:
        with SignedClient(running) as client:
            wanted = {"principalType": "user", "clientIds": [development.APPLICATION]}
            entra = f"/access/entra/assignments/{development.USER}?api-version={PREVIEW}"
            assert client.call("PUT", entra, wanted | {"tenantId": development.TENANT}).status == 201
            teams = f"/access/teamsExtension/tenants/{development.TENANT}/assignments/{development.USER}"
            assert client.call("PUT", f"{teams}?api-version={PREVIEW}", wanted).status == 201
        yield running


def user_token(server: RunningServer, **wanted: Any) -> str:
    import httpx2

    url = f"{server.endpoint}{development.PREFIX}user-token"
    with httpx2.Client(verify=server.client_tls(), trust_env=False) as http:
        answer = http.post(url, json=wanted, headers={"X-IDENTITY-HEADER": development.HEADER})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture(scope="module")
def environment(server: RunningServer, bundles: Path) -> Mapping[str, str]:
    teams = "Teams.ManageCalls Teams.ManageChats TeamsExtension.ManageCalls"
    return {
        **trusting_environment(server, bundles),
        **development.managed_identity(server.endpoint),
        **development.application(server.endpoint),
        "COMMUNICATION_SERVICES_CONNECTION_STRING": server.connection_string,
        "USER_TOKEN": user_token(server),
        "TEAMS_TOKEN": user_token(server, aud=TEAMS, scp=teams),
        "EXPIRED_TOKEN": user_token(server, aud=TEAMS, scp=teams, minutes=-10),
        "APP": development.APPLICATION,
        "USER_ID": development.USER,
        "TENANT": development.TENANT,
    }


def seen_by(command: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
    steps = [msgspec.json.decode(line) for line in run_lines(command, environment)]
    return {step.pop("step"): step for step in steps}


@pytest.fixture(scope="module")
def python(environment: Mapping[str, str]) -> dict[str, Any]:
    return seen_by([sys.executable, str(_FOLDER / "python/entra.py")], environment)


@pytest.fixture(scope="module")
def javascript(environment: Mapping[str, str]) -> dict[str, Any]:
    require("node", "Node.js runs the official JavaScript client")
    require((_FOLDER / "js/node_modules/.ready").is_file(), "`make test` installs the official JavaScript client")
    return seen_by(["node", str(_FOLDER / "js/entra.mjs")], environment)


@pytest.fixture(scope="module")
def java(environment: Mapping[str, str]) -> dict[str, Any]:
    return seen_by([*java_command("Entra")], environment)


CREDENTIALS = ["ManagedIdentityCredential", "EnvironmentCredential", "DefaultAzureCredential"]


@pytest.mark.parametrize("credential", [*CREDENTIALS, "credential_of_the_tenant"])
def test_python_goes_the_whole_way_without_a_key(python: dict[str, Any], credential: str) -> None:
    assert python[credential]["id"].startswith("8:acs:")


@pytest.mark.parametrize("credential", [f"{age}{name}" for age in ("", "older ") for name in CREDENTIALS])
def test_javascript_goes_the_whole_way_without_a_key(javascript: dict[str, Any], credential: str) -> None:
    assert javascript[credential]["id"].startswith("8:acs:")


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_java_goes_the_whole_way_without_a_key(java: dict[str, Any], credential: str) -> None:
    assert java[credential]["id"].startswith("8:acs:")


@pytest.mark.parametrize("credential", [f"{age}{name}" for age in ("", "older ") for name in CREDENTIALS])
def test_javascript_reads_when_the_issuers_token_expires(javascript: dict[str, Any], credential: str) -> None:
    left = datetime.fromisoformat(javascript[credential]["expires"]) - datetime.now(UTC)
    assert timedelta(minutes=30) < left <= timedelta(hours=1)


def test_the_identity_of_2017_is_given_to_its_own_header_only(server: RunningServer) -> None:
    import httpx2

    url = f"{server.endpoint}{development.PREFIX}identity"
    with httpx2.Client(verify=server.client_tls(), trust_env=False) as http:

        def ask(version: str, **headers: str) -> httpx2.Response:
            return http.get(url, params={"resource": "r", "api-version": version}, headers=headers)

        given = ask("2017-09-01", Secret=development.HEADER)
        assert given.status_code == 200
        assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d \+00:00", given.json()["expires_on"])
        for refused in (
            ask("2017-09-01"),
            ask("2017-09-01", Secret="wrong"),
            ask("2017-09-01", **{"X-IDENTITY-HEADER": development.HEADER}),
            ask("2019-08-01", Secret=development.HEADER),
        ):
            assert refused.status_code == 401
            assert "is missing or wrong" in refused.json()["error_description"]


@pytest.mark.parametrize("step", ["entra", "doubled slash", "teams"])
def test_javascripts_credential_exchanges_a_users_token(
    server: RunningServer, javascript: dict[str, Any], step: str
) -> None:
    assert is_active(server, javascript[step]["token"])


def test_javascripts_credential_tells_why_a_token_was_refused(javascript: dict[str, Any]) -> None:
    assert "Status: 401" in javascript["expired"]["message"]
    assert "The Entra ID token has expired." in javascript["expired"]["message"]


def test_python_exchanges_a_teams_users_token(server: RunningServer, python: dict[str, Any]) -> None:
    assert is_active(server, python["exchange"]["token"])


def test_javascript_exchanges_a_teams_users_token(server: RunningServer, javascript: dict[str, Any]) -> None:
    assert is_active(server, javascript["exchange"]["token"])


def test_java_exchanges_a_teams_users_token(server: RunningServer, java: dict[str, Any]) -> None:
    assert is_active(server, java["exchange"]["token"])


@pytest.mark.parametrize(
    ("step", "status", "message"),
    [
        ("bad token", 401, "Provided access token is not valid."),
        ("expired", 401, "Provided access token is not valid."),
        ("no application", 400, "AppId: The AppId field is required."),
        ("malformed application", 400, "Provided AppId has invalid format."),
        ("other application", 400, "AAD application is not the expected one."),
        ("no user", 400, "UserId: The UserId field is required."),
        ("malformed user", 400, "Provided UserId has invalid format."),
        ("other user", 400, "Provided AAD token issued for unexpected user."),
    ],
)
def test_python_is_refused_as_recorded(python: dict[str, Any], step: str, status: int, message: str) -> None:
    seen = python[step]
    assert (seen["status"], seen["message"]) == (status, message)
    assert seen["error"] == ("ClientAuthenticationError" if status == 401 else "HttpResponseError")


@pytest.mark.parametrize(("endpoint", "status"), [("", 201), ("https://localhost:9", 401)])
def test_tokens_are_good_after_a_restart_at_the_same_address_and_count_nowhere_else(
    server: RunningServer, endpoint: str, status: int
) -> None:
    # As the process before had it.
    other = DevelopmentIssuer(endpoint or server.endpoint, SystemClock())
    with SignedClient(server) as client:
        request = client.sign("POST", f"/identities?api-version={PREVIEW}")
        request.headers["Authorization"] = f"Bearer {other.application_token('https://communication.azure.com/')[0]}"
        assert client.send(request).status == status
        request.headers["Authorization"] = f"Bearer {other.user_token(UserTokenRequest())[0]}"
        # A user's token is known too, and good for exchanges only.
        assert client.send(request).status == (403 if status == 201 else 401)


def test_the_issuers_document_leads_an_openid_client_to_its_keys(server: RunningServer) -> None:
    from watchword.entra.remote_issuer import RemoteIssuer

    async def names() -> bool:
        address = f"{server.endpoint}/{development.TENANT}/v2.0"
        issuer = RemoteIssuer(address, SystemClock(), verify=server.client_tls())
        task = asyncio.create_task(issuer.follow())
        try:
            return await issuer.names_itself(address, "") and len(list(await issuer.keys(""))) == 1
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    assert asyncio.run(names())
