"""A node of release 0.2.0 locks the feed's row first, and one of today last: they meet, and no caller notices.

Its schema is older than this program runs on; but a node that is running goes on when the schema is changed under it.

PostgreSQL ends one of two that wait for each other. What it was doing was rolled back whole, and is sent again at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.history.nodes import Node
from tests.support.locks import locks_of
from tests.support.postgres import Cluster
from tests.support.releases import WHEELS, Reached, environment_of, migrate_under
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import running_server

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
[RELEASE] = (wheel for wheel in WHEELS if "-0.2.0-" in wheel.name)
SOON, LATE = "1s", "60s"
"""When somebody who waits looks, once, whether it is in a circle; whoever looks first is the one who is ended.

The other has to be waiting by then, on a busy machine too: else nobody looks again for a minute.
"""


@contextmanager
def nodes(folder: Path, dsn: str, *, old: str, new: str) -> Iterator[tuple[SignedClient, SignedClient]]:
    """One of the release, which made the schema, and one of today."""
    there = {"WATCHWORD_DATABASE": f"{dsn}&deadlock_timeout={old}", "WATCHWORD_ENCRYPTION_KEY": KEY}
    node = Node(folder, there | environment_of(RELEASE, folder / "program"))
    node.start()
    try:
        migrate_under(dsn)
        here = Settings(request_log=False, tls=False, database=f"{dsn}&deadlock_timeout={new}", encryption_key=KEY)
        with (
            running_server(here) as server,
            SignedClient(Reached(node.address[1], server.keys)) as earlier,
            SignedClient(server) as today,
        ):
            yield earlier, today
    finally:
        node.stop()


@pytest.mark.parametrize(("old", "new"), [(LATE, SOON), (SOON, LATE)], ids=["the new one is ended", "the old one is"])
async def test_both_are_answered_where_the_orders_of_locks_meet(
    tmp_path: Path, cluster: Cluster, old: str, new: str
) -> None:
    dsn = await asyncio.to_thread(cluster.fresh)
    log = cluster.folder / "log"
    with nodes(tmp_path, dsn, old=old, new=new) as (earlier, today):
        verbs = {
            "revoke": today.revoke,
            "cut off": lambda id: today.update(id, {"tokensValidFrom": "2020-01-01T00:00:00Z"}),
            # It may not be repeated where nobody knows what became of it; here everybody knows.
            "delete": today.delete,
        }
        async with locks_of(dsn) as locks:
            for name, verb in verbs.items():
                before = log.read_text("utf-8", "replace").count("ERROR:  deadlock detected")
                id = await asyncio.to_thread(earlier.new_identity)
                async with locks.holder.transaction():
                    await locks.holder.execute("select 1 from identities for update")
                    ours = asyncio.create_task(asyncio.to_thread(verb, id))
                    assert await locks.until_waiting(1, ours)
                    theirs = asyncio.create_task(asyncio.to_thread(earlier.revoke, id))
                    assert await locks.until_waiting(2, ours, theirs)
                assert (await ours).status in (200, 204), name
                # Whoever is sent again comes second, and then it may be gone.
                is_gone = name == "delete" and old == SOON
                assert (await theirs).status == (404 if is_gone else 204), name
                assert log.read_text("utf-8", "replace").count("ERROR:  deadlock detected") > before, name
