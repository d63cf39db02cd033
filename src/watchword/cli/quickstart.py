"""`watchword quickstart`: an identity and a token, from nothing to nothing, as Azure's own quickstarts show it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchword.cli.connection import connection_options, find_given, trust_for
from watchword.cli.help_pages import Explained
from watchword.errors import OperatorError
from watchword.server.folders import find_folders, temporary_folder

if TYPE_CHECKING:
    from watchword.client import AsyncIdentityClient, Retries
    from watchword.client.transport import Verify

    _Walk = Callable[[str, Verify, Retries], Awaitable[None]]


@click.command(cls=Explained)
@click.option("--chat", is_flag=True, help="Two identities that chat, until the tokens of one are revoked.")
@connection_options
def quickstart(chat: bool, connection_string: str | None, connection_string_file: str | None) -> None:
    """Walk once through the service: create, issue, revoke, delete.

    Creates an identity, issues an access token, revokes it, deletes the identity. With --chat there are two, a thread
    and a message each way.

    Without a connection string it starts a service of its own on a free port, and stops it at the end.
    """
    from watchword.server.event_loop import run_event_loop

    given = find_given(connection_string, connection_string_file, os.environ)
    walk = _walk_through_chat if chat else _walk
    run_event_loop(_run(walk, given.text, given.origin) if given else _run_embedded(walk))


async def _run(walk: _Walk, connection_string: str, origin: str) -> None:
    from watchword.client import Retries, TransportError
    from watchword.wire.connection_string import parse_connection_string

    endpoint = parse_connection_string(connection_string).endpoint
    verify = trust_for(endpoint, find_folders())
    try:
        await walk(connection_string, verify, Retries(count=1))
    except TransportError as error:
        raise OperatorError(
            str(error),
            f"The address comes from {origin}. Is the service running? Without it, quickstart starts its own.",
        ) from None


async def _run_embedded(walk: _Walk) -> None:
    from watchword.client import Retries

    with temporary_folder("watchword-quickstart-") as folder:
        async with _embedded(Path(folder)) as (connection_string, ca):
            await walk(connection_string, ca, Retries())


async def _walk_through_chat(connection_string: str, verify: Verify, retries: Retries) -> None:
    """The walk goes beside the event loop, on which a service of this process answers."""
    from watchword.cli.quickstart_chat import walk

    await asyncio.to_thread(walk, connection_string, verify, retries)


async def _walk(connection_string: str, verify: Verify, retries: Retries) -> None:
    from watchword.client import AsyncIdentityClient

    async with AsyncIdentityClient.from_connection_string(connection_string, verify=verify, retries=retries) as client:
        await _walk_through_tokens(client)


async def _walk_through_tokens(client: AsyncIdentityClient) -> None:
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
    from watchword.server.listener import Listener, opened_application
    from watchword.server.listening import listen
    from watchword.settings import Settings
    from watchword.wire.connection_string import ConnectionString

    keys = (random_bytes(ACCESS_KEY_BYTES), random_bytes(ACCESS_KEY_BYTES))
    settings = Settings(port=0, request_log=False)
    listening = listen(settings, folder / "certificates")
    first = FirstResource("quickstart", settings.data_location, keys=keys)
    async with opened_application(settings, folder / "data", first, endpoint=listening.endpoint) as application:
        listener = Listener(settings, application, listening, certificates=folder / "certificates")
        serving = asyncio.create_task(listener.run())
        try:
            yield str(ConnectionString(listening.endpoint, keys[0])), folder / "certificates" / "ca.pem"
        finally:
            listener.stop()
            await serving
