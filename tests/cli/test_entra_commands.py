"""`watchword dev --entra`: an identity and users for programs, from a shell."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.commands import Home, Server, answer, refusal, server
from watchword.entra import development
from watchword.tokens.jwks import decode_base64url

pytestmark = pytest.mark.sqlite("the issuer for development is run by `watchword dev` only, which refuses PostgreSQL")


@pytest.fixture(scope="module")
def entra_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("entra-home"))


@pytest.fixture(scope="module")
def entra_server(entra_home: Home) -> Iterator[Server]:
    with server(entra_home, "dev", "--entra", "--no-request-log") as running:
        yield running


def claims_of(token: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(decode_base64url(token.strip().split(".")[1]))
    return found


def test_the_environment_has_the_managed_identity(entra_home: Home, entra_server: Server, tmp_path: Path) -> None:
    lines = answer(entra_home, "env", "--shell", "sh")
    script = tmp_path / "lines.sh"
    script.write_text(f'{lines}\nprintf \'%s\\n\' "$IDENTITY_ENDPOINT" "$IDENTITY_HEADER"')
    shown = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True).stdout.split()
    assert shown == [f"{entra_server.endpoint}{development.PREFIX}identity", development.HEADER]


def test_the_environment_has_it_for_older_libraries_and_an_application(entra_home: Home, entra_server: Server) -> None:
    lines = answer(entra_home, "env", "--shell", "sh").splitlines()
    for name, value in {
        "MSI_ENDPOINT": f"{entra_server.endpoint}{development.PREFIX}identity",
        "MSI_SECRET": development.HEADER,
        "AZURE_AUTHORITY_HOST": entra_server.endpoint,
        "AZURE_TENANT_ID": "adfs",
        "AZURE_CLIENT_ID": development.APPLICATION,
        "AZURE_CLIENT_SECRET": development.SECRET,
    }.items():
        assert f"export {name}='{value}'" in lines


def test_without_tls_there_is_no_application_since_no_library_would_take_it(home: Home) -> None:
    with server(home, "dev", "--entra", "--no-tls", "--no-request-log"):
        lines = answer(home, "env", "--shell", "sh")
    assert "MSI_ENDPOINT" in lines
    assert "AZURE_AUTHORITY_HOST" not in lines


def test_a_server_without_the_issuer_gives_none(shared_home: Home, shared_server: Server) -> None:
    lines = answer(shared_home, "env", "--shell", "sh")
    assert not re.search("IDENTITY_ENDPOINT|MSI_|AZURE_CLIENT", lines)
    assert "watchword dev --entra" in refusal(shared_home, "entra", "user-token")


def test_a_users_token_says_what_it_was_asked_to(entra_home: Home, entra_server: Server) -> None:
    user = "11111111-1111-4111-8111-111111111111"
    claims = claims_of(answer(entra_home, "entra", "user-token", "--oid", user, "--scp", "Chat.Join"))
    assert (claims["oid"], claims["scp"], claims["tid"]) == (user, "Chat.Join", development.TENANT)
    expired = claims_of(answer(entra_home, "entra", "user-token", "--minutes", "-5", "--audience", "x"))
    assert expired["aud"] == "x"
    assert "guids" in refusal(entra_home, "entra", "user-token", "--oid", "bob")


def test_serve_runs_no_issuer_that_gives_tokens_to_everybody(home: Home) -> None:
    assert "gives tokens to everybody" in refusal(home, "serve", "--entra", "--port", "0")
