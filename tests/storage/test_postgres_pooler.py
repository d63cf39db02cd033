"""Behind PgBouncer, which gives each transaction another of its sessions."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.engines import Place
from tests.support.polling import until
from tests.support.postgres import (
    PASSWORD,
    USER,
    Cluster,
    cluster_folder,
    on_connection,
)
from tests.support.postgres_programs import free_port, unprivileged
from tests.support.requirements import require
from tests.support.signed import PREVIEW, SignedClient
from tests.support.standing import is_live
from tests.support.transfers import exported, imported, sums
from watchword.settings import Settings
from watchword.testing import running_server

CONFIGURATION = """
[databases]
behind = host=127.0.0.1 port={server} dbname=behind user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = 3
"""


@contextmanager
def pooler(cluster: Cluster) -> Iterator[str]:
    """The address of a database behind it."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    require(program is not None, "PgBouncer is not there: install the package pgbouncer")
    cluster.execute("create database behind")
    with cluster_folder() as folder:
        port, users, settings = free_port(), folder / "users", folder / "pgbouncer.ini"
        users.write_text(f'"{USER}" ""\n')
        facts = {"server": cluster.port, "user": USER, "password": PASSWORD, "port": port, "users": users}
        settings.write_text(CONFIGURATION.format(**facts))
        for path in (users, settings):
            path.chmod(0o644)
        command: list[str | Path] = [program or "", "-q", settings]
        with subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            **unprivileged(),
        ) as process:
            dsn = f"postgresql://{USER}@127.0.0.1:{port}/behind"
            until(lambda: answers(dsn), bool)
            try:
                yield dsn
            finally:
                process.terminate()
                process.communicate(timeout=20)


def answers(dsn: str) -> bool:
    try:
        on_connection(dsn, lambda connection: connection.execute("select 1"))
    except OSError:
        return False
    return True


def test_a_server_behind_a_pooler_does_everything(cluster: Cluster, tmp_path: Path) -> None:
    with pooler(cluster) as dsn:
        settings = Settings(request_log=False, tls=False, database=dsn, database_statement_cache=False)
        with running_server(settings, data=tmp_path / "data") as server, SignedClient(server) as client:
            identity = client.create({"customId": "bob"}, PREVIEW).json["identity"]["id"]
            for _ in range(20):
                token = client.new_token(identity)
                assert is_live(client, token)
                assert client.revoke(identity).status == 204
                assert not is_live(client, token)
            assert client.listed("?customId=bob") == [identity]
            assert client.delete(identity).status == 204
            assert client.listed() == []
        place = Place(settings, tmp_path / "data")
        before = exported(place, tmp_path / "before")
        on_connection(dsn, lambda connection: connection.execute("drop schema public cascade; create schema public"))
        imported(place, tmp_path / "before", keep_tokens=True)
        assert sums(exported(place, tmp_path / "after")) == sums(before)
