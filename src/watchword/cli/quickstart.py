"""`watchword quickstart`: an identity and a token, from nothing to nothing, as Azure's own quickstarts show it."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchword.cli.connection import connection_options, find_given, trust_for
from watchword.errors import OperatorError
from watchword.server.folders import find_folders

if TYPE_CHECKING:
    from watchword.client import AsyncIdentityClient


@click.command()
@connection_options
def quickstart(connection_string: str | None, connection_string_file: str | None) -> None:
    """Go from an identity to its token and back.

    Creates an identity, issues an access token, revokes it, deletes the identity.

    Without a connection string it starts a service of its own for that long, on a free port of this machine.
    """
    from watchword.server.event_loop import run_event_loop

    given = find_given(connection_string, connection_string_file, os.environ)
    run_event_loop(_run(given.text, given.origin) if given else _run_embedded())


async def _run(connection_string: str, origin: str) -> None:
    from watchword.client import AsyncIdentityClient, Retries, TransportError
    from watchword.wire.connection_string import parse_connection_string

    endpoint = parse_connection_string(connection_string).endpoint
    verify = trust_for(endpoint, find_folders())
    try:
        async with AsyncIdentityClient.from_connection_string(
            connection_string, verify=verify, retries=Retries(count=1)
        ) as client:
            await _walk(client)
    except TransportError as error:
        raise OperatorError(
            str(error),
            f"The address comes from {origin}. Is the service running? Without it, quickstart starts its own.",
        ) from None


async def _run_embedded() -> None:
    from watchword.client import AsyncIdentityClient

    with tempfile.TemporaryDirectory() as folder:
        async with (
            _embedded(Path(folder)) as (connection_string, ca),
            AsyncIdentityClient.from_connection_string(connection_string, verify=ca) as client,
        ):
            await _walk(client)


async def _walk(client: AsyncIdentityClient) -> None:
    from watchword.cli.javascript_date import format_javascript_date

    print("Azure Communication Services - Access Tokens Quickstart", flush=True)
    identity = await client.create_user()
    print(f"\nCreated an identity: {identity.id}", flush=True)
    issued = await client.get_token(identity, ["voip"])
    expires = format_javascript_date(issued.expires_on.astimezone())
    print(f"\nIssued an access token with 'voip' scope that expires at {expires}:\n{issued.token}", flush=True)
    await client.revoke_tokens(identity)
    print(f"\nSuccessfully revoked all access tokens for identity with ID: {identity.id}", flush=True)
    await client.delete_user(identity)
    print(f"\nDeleted the identity with ID: {identity.id}", flush=True)


@asynccontextmanager
async def _embedded(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    """A service of this process: its connection string, and the CA to trust. Everything lies in the folder."""
    from watchword.identifiers import random_bytes
    from watchword.resources.access_keys import ACCESS_KEY_BYTES
    from watchword.resources.first_resource import FirstResource
    from watchword.server.listener import Listener, open_door, opened_application
    from watchword.settings import Settings
    from watchword.wire.connection_string import ConnectionString

    keys = (random_bytes(ACCESS_KEY_BYTES), random_bytes(ACCESS_KEY_BYTES))
    settings = Settings(port=0, request_log=False)
    door = open_door(settings, folder / "certificates")
    first = FirstResource("quickstart", settings.data_location, keys=keys)
    async with opened_application(settings, folder / "data", first, door.endpoint) as application:
        listener = Listener(settings, application, door, folder / "certificates")
        serving = asyncio.create_task(listener.run())
        try:
            yield str(ConnectionString(door.endpoint, keys[0])), folder / "certificates" / "ca.pem"
        finally:
            listener.stop()
            await serving
