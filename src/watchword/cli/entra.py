"""`watchword entra`: tokens of the OpenID issuer that `watchword dev --entra` runs."""

from __future__ import annotations

from pathlib import Path

import click

from watchword.cli.help_pages import ExplainedGroup
from watchword.errors import OperatorError, reason_of


@click.group(cls=ExplainedGroup)
def entra() -> None:
    """Ask the OpenID issuer of `watchword dev --entra` for tokens."""


@entra.command()
@click.option("--oid", help="Object id of the user.")
@click.option("--tid", help="Tenant of the user.")
@click.option("--appid", help="Application that the user is at.")
@click.option("--scp", help="Scopes, separated by spaces; Chat and VoIP if none are given.")
@click.option("--audience", "aud", help="Audience; that of the exchange for Entra ID users if none is given.")
@click.option("--minutes", type=int, help="Lifetime; a negative one makes a token that has expired (default 60).")
@click.option("--port", type=int, help="Port of the server that is meant, where several run.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory of the server that is meant, where several run."
)
def user_token(port: int | None, data: Path | None, **wanted: str | int | None) -> None:
    """Print a token of a user, to be exchanged for an access token."""
    import httpx2

    from watchword.cli.connection import trust_for
    from watchword.entra.development import HEADER, PREFIX
    from watchword.server.folders import find_folders
    from watchword.server.running import find_one

    folders = find_folders()
    server = find_one(folders.running, port, data)
    if not server.entra:
        raise OperatorError(
            f"The server at {server.endpoint} runs no issuer.", "Start one with `watchword dev --entra`."
        )
    asked = {name: value for name, value in wanted.items() if value is not None}
    url = f"{server.endpoint}{PREFIX}user-token"
    try:
        with httpx2.Client(verify=trust_for(server.endpoint, folders) or True, trust_env=False) as http:
            answer = http.post(url, json=asked, headers={"X-IDENTITY-HEADER": HEADER})
    except httpx2.HTTPError as error:
        raise OperatorError(
            f"No answer from {server.endpoint}: {reason_of(error)}.", "Is the server still running?"
        ) from None
    said = answer.json()
    if answer.status_code != 200:
        raise OperatorError(str(said.get("error_description", answer.text)), "`watchword entra user-token --help`")
    print(said["access_token"])
