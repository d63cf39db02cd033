"""Addresses as hosting companies write them: parameters of libpq are obeyed, or refused in a sentence that helps."""

import socket
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from tests.support.postgres import PASSWORD, Cluster
from watchword.errors import OperatorError
from watchword.settings import Settings
from watchword.storage.opening import open_database
from watchword.storage.postgres_address import read_address, socket_of
from watchword.storage.postgres_connections import Connections

ADDRESS = "postgresql://u:p@one,two/db"


@pytest.fixture
def address(cluster: Cluster) -> str:
    """One that has parameters already."""
    fresh = cluster.fresh()
    return f"{fresh}{'&' if '?' in fresh else '?'}sslmode=prefer"


def connections(dsn: str) -> Connections:
    return Connections(dsn, size=1, sessions=True, patience=timedelta(seconds=5))


@pytest.mark.parametrize(
    "parameters",
    [
        "connect_timeout=10",
        "keepalives=1&keepalives_idle=30&keepalives_interval=10&keepalives_count=3&tcp_user_timeout=20000",
        "channel_binding=prefer&gssencmode=disable&sslcompression=0&sslsni=1&client_encoding=UTF8",
        "target_session_attrs=read-write&load_balance_hosts=disable&application_name=shop",
        "pgbouncer=true",
        "fallback_application_name=shop&gssdelegation=0",
    ],
)
async def test_what_hosting_companies_write_starts(address: str, parameters: str, tmp_path: Path) -> None:
    database = await open_database(Settings(database=f"{address}&{parameters}"), tmp_path)
    try:
        assert await database.query("select 1") == [(1,)]
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("parameters", "message", "remedy"),
    [
        ("sslmode=prefer&channel_binding=require", "channel_binding=require", "verify-full"),
        ("require_auth=scram-sha-256", "require_auth", "Remove require_auth"),
        ("target_session_attrs=standby", "target_session_attrs=standby", "takes writes"),
        ("gssencmode=require", "gssencmode=require", "Remove gssencmode"),
        ("hostaddr=127.0.0.1", "hostaddr", "in the place of the host"),
        ("connect_timeout=soon", "connect_timeout", "whole number"),
        ("scram_client_key=c2VjcmV0", "scram_client_key", "Remove scram_client_key"),
        ("connection_limit=5", "connection_limit", "Remove that parameter"),
    ],
)
async def test_what_cannot_be_had_is_refused_by_its_name(
    cluster: Cluster, parameters: str, message: str, remedy: str, tmp_path: Path
) -> None:
    with pytest.raises(OperatorError) as refusal:
        await open_database(Settings(database=f"{cluster.dsn()}?{parameters}"), tmp_path)
    assert message in refusal.value.message
    assert remedy in refusal.value.remedy
    assert "password" not in refusal.value.remedy
    assert PASSWORD not in str(refusal.value)
    assert "c2VjcmV0" not in str(refusal.value)


async def test_a_database_that_is_not_there_is_told_with_how_to_make_it(tmp_path: Path, cluster: Cluster) -> None:
    with pytest.raises(OperatorError) as refusal:
        await open_database(Settings(database=cluster.dsn("nowhere")), tmp_path)
    assert '"nowhere" does not exist' in refusal.value.message
    assert "createdb --encoding UTF8" in refusal.value.remedy


async def test_parameters_are_in_force_on_the_connection(address: str) -> None:
    dsn = f"{address}&keepalives=1&keepalives_idle=37&keepalives_count=4&application_name=shop&connect_timeout=9"
    connection = await connections(dsn).connect()
    try:
        own = socket_of(connection)
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 37
            assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT) == 4
        assert await connection.fetchval("show application_name") == "shop"
    finally:
        await connection.close()


async def test_pooler_that_is_named_in_the_address_gets_no_settings_of_sessions(address: str) -> None:
    for parameters, expected in (("", "off"), ("&pgbouncer=true", "on"), ("&pgbouncer=false", "off")):
        connection: asyncpg.Connection[asyncpg.Record] = await connections(address + parameters).connect()
        try:
            assert await connection.fetchval("show enable_seqscan") == expected
        finally:
            await connection.close()


def test_the_rest_of_the_address_stays_as_it_was() -> None:
    assert read_address(ADDRESS).dsn == ADDRESS
    address = read_address(f"{ADDRESS}?sslmode=require&connect_timeout=10&sslrootcert=%2Fa%20b&keepalives=0")
    assert address.dsn == f"{ADDRESS}?sslmode=require&sslrootcert=%2Fa%20b"
    assert (address.connect_seconds, dict(address.numbers)) == (10.0, {"connect_timeout": 10, "keepalives": 0})
    assert read_address(f"{ADDRESS}?connect_timeout=0").connect_seconds is None
    assert "p@" not in repr(address)
