"""Several nodes on one PostgreSQL: started at once, with one key, and never out of step."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.postgres import Cluster
from tests.support.signed import PREVIEW, SignedClient
from tests.support.standing import is_live
from watchword.app import open_watchword
from watchword.errors import OperatorError
from watchword.keyring.encryption import KEY_FILE
from watchword.keyring.key_files import load_or_create_key_file
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import insert_resource
from watchword.revocations.feed import Feed
from watchword.revocations.statements import NEXT_CURSOR
from watchword.revocations.store import RevocationStore
from watchword.settings import Settings
from watchword.storage.schema import schema_files
from watchword.testing import running_server

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
FIRST = FirstResource("watchword", "europe")


@pytest.fixture
def settings(cluster: Cluster) -> Settings:
    return Settings(request_log=False, tls=False, database=cluster.fresh(), encryption_key=KEY)


@dataclass
class Nodes:
    first: SignedClient
    second: SignedClient


@pytest.fixture
def nodes(settings: Settings) -> Iterator[Nodes]:
    with ExitStack() as stack:
        servers = [stack.enter_context(running_server(settings)) for _ in range(2)]
        assert servers[0].keys == servers[1].keys
        yield Nodes(*(stack.enter_context(SignedClient(server)) for server in servers))


def test_nodes_that_create_one_custom_id_at_once_create_one_identity(nodes: Nodes) -> None:
    barrier = threading.Barrier(16)

    def create(number: int) -> list[str]:
        server = (nodes.first if number % 2 else nodes.second).server
        with SignedClient(server) as client:
            barrier.wait()
            replies = [client.create({"customId": f"shared {turn}"}, PREVIEW) for turn in range(10)]
        assert [reply.status for reply in replies] == [201] * 10
        return [reply.json["identity"]["id"] for reply in replies]

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(create, range(16)))
    assert answers == [answers[0]] * 16
    assert sorted(nodes.first.listed()) == sorted(answers[0])


def test_nodes_that_create_and_delete_one_custom_id_do_not_wait_in_circles(nodes: Nodes) -> None:
    def work(number: int) -> set[int]:
        server = (nodes.first if number % 2 else nodes.second).server
        statuses = set()
        with SignedClient(server) as client:
            for turn in range(15):
                created = client.create({"customId": f"contended {(turn * (number + 1)) % 5}"}, PREVIEW)
                statuses |= {created.status, client.delete(created.json["identity"]["id"]).status}
        return statuses

    with ThreadPoolExecutor(8) as threads:
        statuses = set[int]().union(*threads.map(work, range(8)))
    # Whoever deletes what another deleted meanwhile is told so.
    assert statuses <= {201, 204, 404}
    with SignedClient(nodes.second.server) as client:
        for number in range(5):
            assert len(client.listed(f"?customId=contended%20{number}")) <= 1


def test_what_one_node_revokes_is_dead_on_the_other(nodes: Nodes) -> None:
    identity = nodes.first.new_identity()
    token = nodes.second.new_token(identity)
    assert is_live(nodes.first, token)
    assert nodes.first.revoke(identity).status == 204
    assert not is_live(nodes.second, token)
    assert is_live(nodes.first, nodes.second.new_token(identity))


async def test_nodes_that_start_at_once_make_everything_once(settings: Settings, tmp_path: Path) -> None:
    nodes = await asyncio.gather(*(open_watchword(settings, tmp_path / str(number), FIRST) for number in range(5)))
    try:
        database = nodes[0].ground.database
        counts = "select (select count(*) from resources), (select count(*) from access_keys),"
        counts += " (select count(*) from signing_keys), (select max(version) from schema_version)"
        assert await database.query(counts) == [(1, 2, 1, schema_files("postgres_schema")[-1][0])]
    finally:
        for node in nodes:
            await node.close()


async def test_a_node_with_another_key_refuses_to_start_and_writes_nothing(settings: Settings, tmp_path: Path) -> None:
    node = await open_watchword(settings, tmp_path / "one", FIRST)
    try:
        # It would have to make a signing key, for another algorithm; and it has no key, or a key file of its own.
        other, key_file = replace(settings, encryption_key="", signing_algorithm="RS256"), tmp_path / "other" / KEY_FILE
        with pytest.raises(OperatorError, match=r"key file .* is missing"):
            await open_watchword(other, tmp_path / "other", FIRST)
        assert not key_file.exists()
        load_or_create_key_file(key_file)
        with pytest.raises(OperatorError, match="encryption key does not fit the database"):
            await open_watchword(other, tmp_path / "other", FIRST)
        assert await node.ground.database.query("select algorithm from signing_keys") == [("ES256",)]
    finally:
        await node.close()


async def test_a_database_of_a_newer_program_is_refused(settings: Settings, tmp_path: Path) -> None:
    node = await open_watchword(settings, tmp_path, FIRST)
    await node.ground.database.transact(
        lambda transaction: transaction.execute("update schema_version set version = 999")
    )
    await node.close()
    with pytest.raises(OperatorError, match=r"schema version 999; this program knows versions up to \d+"):
        await open_watchword(settings, tmp_path, FIRST)


async def test_text_is_compared_alike_on_both_engines(settings: Settings, tmp_path: Path) -> None:
    """Where "_" hardly counts, a node that starts would not find the newest of the deleted identities."""
    node = await open_watchword(settings, tmp_path, FIRST)
    try:
        other = """
            select table_name, column_name from information_schema.columns
            where table_schema = current_schema and data_type = 'text' and collation_name is distinct from 'C'
        """
        assert await node.ground.database.query(other) == []
    finally:
        await node.close()


@pytest.fixture
async def writers(settings: Settings, tmp_path: Path) -> Any:
    """A feed, the number of its resource, and two sessions that Watchword knows nothing of."""
    node = await open_watchword(settings, tmp_path, FIRST)
    resource = await node.ground.database.transact(
        lambda transaction: insert_resource(
            transaction, "aaaaaaaa-368b-45b4-ab52-8493fb117652", "a", location="europe", created_micros=0
        )
    )
    sessions = [await asyncpg.connect(settings.database) for _ in range(2)]
    yield Feed(RevocationStore(node.ground.database)), resource.number, *sessions
    for session in sessions:
        await session.close()
    await node.close()


@pytest.mark.parametrize("first_commits", [True, False], ids=["commits", "rolls back"])
async def test_whoever_takes_a_cursor_holds_all_others_until_it_has_committed(
    writers: tuple[Feed, int, Any, Any], first_commits: bool
) -> None:
    feed, number, early, late = writers
    seen: list[str] = []
    cursor = (await feed.page(number, None)).cursor

    async def look() -> None:
        nonlocal cursor
        page = await feed.page(number, cursor)
        cursor = page.cursor
        seen.extend(row.subject for row in page.rows)

    async def record(session: Any, subject: str) -> None:
        await session.execute(NEXT_CURSOR)
        await session.execute(
            "insert into revocations (kind, subject, resource, cursor, expires_micros)"
            " values ('token', $1, $2, (select cursor from feed), 1)",
            subject,
            number,
        )

    first, second = early.transaction(), late.transaction()
    await first.start()
    await second.start()
    await record(early, "early")
    await look()
    waiting = asyncio.create_task(record(late, "late"))
    done, _ = await asyncio.wait([waiting], timeout=0.2)
    assert not done
    await look()
    await (first.commit() if first_commits else first.rollback())
    await waiting
    await look()
    await second.commit()
    await look()
    assert seen == (["early", "late"] if first_commits else ["late"])
