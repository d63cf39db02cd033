"""Clients that outlive a fork or an event loop: they begin anew there, and nobody waits for what stayed behind."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.client.refresher import MINUTE, token
from tests.client.support import CREATED, CREDENTIAL
from tests.support.clock import stopped_clock
from tests.support.process_tree import linux_only
from tests.support.scripted_server import reply, scripted_server
from tests.support.servers import running_server
from watchword.client import AsyncIdentityClient, AsyncTokenVerifier, AsyncUserTokenCredential, IdentityClient, Retries

# The parent uses each, is in the middle of a refresh, and forks; the child must not hang, nor disturb its parent.
FORKING = """
import os, signal, sys, threading, warnings
from watchword.client import IdentityClient, TokenVerifier, UserTokenCredential
warnings.simplefilter("ignore")
connection_string, ca = sys.argv[1:]
begun, going = threading.Event(), threading.Event()
def refresh():
    if not begun.is_set():
        begun.set()
        going.wait(30)
    return "opaque"
credential = UserTokenCredential(refresher=refresh)
client = IdentityClient.from_connection_string(connection_string, verify=ca)
verifier = TokenVerifier.from_connection_string(connection_string, verify=ca)
user, issued = client.create_user_and_token(["chat"])
verifier.verify(issued.token)
waiting = threading.Thread(target=credential.get_token)
waiting.start()
begun.wait(30)
child = os.fork()
if child == 0:
    signal.alarm(30)
    made, another = client.create_user_and_token(["chat"])
    assert verifier.verify(another.token).token_id != verifier.verify(issued.token).token_id
    assert credential.get_token().token == "opaque"
    os._exit(0)
going.set()
waiting.join()
for _ in range(5):
    client.create_user()
verifier.verify(issued.token)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@linux_only
def test_process_that_was_forked_off_uses_them_as_its_parent_does() -> None:
    with running_server() as server:
        command = [sys.executable, "-c", FORKING, server.connection_string, str(server.ca_file)]
        found = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert (found.stdout, found.returncode) == ("0\n", 0), found.stderr


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The connections of an event loop that has ended: nobody can close them, so that the collector tells of them."""
    yield
    gc.collect()


unclosed = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@unclosed
@pytest.mark.usefixtures("forgotten")
def test_async_client_works_in_one_event_loop_after_another() -> None:
    with scripted_server(*[reply(201, CREATED)] * 3) as server:
        client = AsyncIdentityClient(server.endpoint, CREDENTIAL, clock=stopped_clock(), retries=Retries(count=0))
        for _ in range(3):
            asyncio.run(client.create_user())
        asyncio.run(client.close())
        assert len(server.received) == 3


@unclosed
@pytest.mark.usefixtures("forgotten")
def test_async_verifier_and_credential_work_in_one_event_loop_after_another() -> None:
    clock = stopped_clock()

    async def refresh() -> str:
        return token(clock, MINUTE)

    credential = AsyncUserTokenCredential(refresher=refresh, proactive=True, clock=clock)
    with (
        running_server() as server,
        IdentityClient.from_connection_string(
            server.connection_string, verify=server.ca_file, clock=server.clock
        ) as client,
    ):
        issued = client.create_user_and_token(["chat"])[1]
        verifier = AsyncTokenVerifier.from_connection_string(
            server.connection_string, verify=server.ca_file, clock=server.clock
        )
        for _ in range(2):
            asyncio.run(verifier.verify(issued.token))
            asyncio.run(credential.get_token())
            clock.move(2 * MINUTE)
        asyncio.run(verifier.introspect(issued.token))
        asyncio.run(verifier.close())
        asyncio.run(credential.close())


def test_second_event_loop_beside_the_first_is_refused_in_a_sentence() -> None:
    with scripted_server(*[reply(201, CREATED)] * 2) as server:
        client = AsyncIdentityClient(server.endpoint, CREDENTIAL, clock=stopped_clock(), retries=Retries(count=0))
        failures: list[BaseException] = []

        def use_it_elsewhere() -> None:
            try:
                asyncio.run(client.create_user())
            except RuntimeError as error:
                failures.append(error)

        async def use_it_here() -> None:
            await client.create_user()
            thread = threading.Thread(target=use_it_elsewhere)
            thread.start()
            await asyncio.to_thread(thread.join)
            await client.close()

        asyncio.run(use_it_here())
    assert "This client belongs to another event loop" in str(failures[0])
    assert "Make one for each event loop" in str(failures[0])


@pytest.mark.parametrize("kind", ["credential", "verifier"])
def test_credential_and_verifier_say_so_too(kind: str) -> None:
    async def refresh() -> str:
        return "opaque"

    credential = AsyncUserTokenCredential(refresher=refresh)
    verifier = AsyncTokenVerifier("http://127.0.0.1:9", CREDENTIAL)
    each = credential if kind == "credential" else verifier
    failures: list[BaseException] = []

    def elsewhere() -> None:
        try:
            asyncio.run(credential.get_token() if kind == "credential" else verifier.verify("none"))
        except RuntimeError as error:
            failures.append(error)

    async def here() -> None:
        async with each:
            thread = threading.Thread(target=elsewhere)
            thread.start()
            await asyncio.to_thread(thread.join)

    asyncio.run(here())
    assert f"This {kind} belongs to another event loop" in str(failures[0])
