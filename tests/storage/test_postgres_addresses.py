"""Addresses of PostgreSQL: several hosts, none that answers, and a password that nobody ever sees."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import PASSWORD, USER, Cluster
from tests.support.postgres_programs import free_port
from watchword.errors import OperatorError
from watchword.settings import Settings
from watchword.storage import postgres_connections
from watchword.storage.opening import open_database
from watchword.storage.postgres import open_postgres
from watchword.storage.postgres_address import split_hosts


@pytest.fixture
def address(cluster: Cluster) -> str:
    return cluster.fresh()


@contextmanager
def silent_host() -> Iterator[str]:
    """It takes connections and never says a word, as a machine that hangs does."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize(
    ("dsn", "hosts"),
    [
        ("postgresql://u:p@one/db", ["postgresql://u:p@one/db"]),
        ("postgresql://one:1,two:2/db?a=b,c", ["postgresql://one:1/db?a=b,c", "postgresql://two:2/db?a=b,c"]),
        ("postgresql://u:p,q@[::1]:1,two?a=b", ["postgresql://u:p,q@[::1]:1?a=b", "postgresql://u:p,q@two?a=b"]),
        ("postgresql:///db?host=/run", ["postgresql:///db?host=/run"]),
        ("nonsense", ["nonsense"]),
    ],
)
def test_an_address_of_several_hosts_is_several_addresses(dsn: str, hosts: list[str]) -> None:
    assert [each.removesuffix("://") for each in split_hosts(dsn)] == hosts


async def test_a_host_that_refuses_and_one_that_hangs_are_passed_over(
    cluster: Cluster, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connections, "_CONNECT_SECONDS", 0.3)
    with silent_host() as silent:
        hosts = f"127.0.0.1:{free_port()},{silent},127.0.0.1:{cluster.port}"
        database = await open_postgres(
            address.replace(f"127.0.0.1:{cluster.port}", hosts),
            pool=2,
            batch=8,
            statement_cache=True,
            patience=timedelta(seconds=5),
        )
        try:
            assert await database.query("select 1") == [(1,)]
        finally:
            await database.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda dsn: dsn.replace("/postgres", "/no_such_name"),
        lambda dsn: dsn.replace(f"{USER}:", "nobody:"),
        lambda dsn: dsn.replace(PASSWORD, PASSWORD + "/x"),
        lambda dsn: dsn.replace(PASSWORD, PASSWORD + "#x"),
        lambda dsn: dsn.replace(PASSWORD, PASSWORD + "@x"),
        lambda dsn: dsn.replace(PASSWORD, PASSWORD + "?x"),
        lambda dsn: dsn.replace(PASSWORD, PASSWORD + ":x"),
        lambda dsn: dsn.replace("127.0.0.1", "127.0.0.1:1:2"),
        lambda dsn: dsn.replace("postgresql:", "mysql:"),
        lambda dsn: dsn.replace("postgresql://", ""),
        lambda dsn: dsn.partition("@")[0] + f"@127.0.0.1:{free_port()}/postgres",
        lambda dsn: f"{dsn}?sslmode=require",
    ],
)
async def test_an_address_that_leads_nowhere_is_refused_in_words_without_its_password(
    cluster: Cluster, change: object, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert callable(change)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(OperatorError) as refusal:
        await open_database(Settings(database=change(cluster.dsn())), tmp_path)
    assert "WATCHWORD_DATABASE" in str(refusal.value)
    assert PASSWORD not in str(refusal.value)
    assert PASSWORD not in caplog.text
    assert refusal.value.__cause__ is None


async def test_a_database_that_cannot_hold_all_characters_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    administrator = await asyncpg.connect(cluster.dsn())
    await administrator.execute("create database narrow encoding 'LATIN1' template template0 locale 'C'")
    await administrator.close()
    with pytest.raises(OperatorError, match="LATIN1"):
        await open_database(Settings(database=cluster.dsn("narrow")), tmp_path)
