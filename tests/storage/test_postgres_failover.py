"""A standby is promoted under load, with synchronous replication: nothing acknowledged is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.storage.test_postgres_outages import Load, all_identities, readiness
from tests.support.polling import until
from tests.support.postgres import PASSWORD, USER, Cluster, cluster, cluster_folder, run_program
from tests.support.postgres_programs import free_port
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from watchword.settings import Settings
from watchword.testing import running_server


@contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """It follows the primary, which acknowledges nothing any more that the standby has not on its disk."""
    with cluster_folder() as folder:
        origin = f"host=127.0.0.1 port={primary.port} user={USER} password={PASSWORD} application_name=standby"
        data: list[str | Path] = ["-D", folder / "data"]
        run_program("pg_basebackup", *data, "-d", origin, "-R", "-X", "stream", "--checkpoint=fast", cwd=folder)
        standby = Cluster(folder, free_port())
        standby.start()
        try:
            primary.execute("alter system set synchronous_standby_names = 'standby'")
            primary.execute("select pg_reload_conf()")
            state = "select sync_state from pg_stat_replication"
            until(lambda: [each["sync_state"] for each in primary.execute(state)], ["sync"].__eq__)
            yield standby
        finally:
            standby.kill()


def test_a_standby_takes_over_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    with cluster() as primary:
        address = primary.fresh()
        with standby_of(primary) as standby:
            hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
            settings = Settings(
                request_log=False,
                tls=False,
                database=address.replace(f"127.0.0.1:{primary.port}", hosts),
                database_timeout=1.0,
            )
            with running_server(settings) as server, SignedClient(server) as client:
                loads = [Load(server) for _ in range(6)]
                threads = [threading.Thread(target=load.run) for load in loads]
                for thread in threads:
                    thread.start()
                try:
                    until(lambda: sum(len(load.created) for load in loads), (100).__lt__)
                    primary.kill()
                    standby.execute("select pg_promote()")
                    until(lambda: readiness(server), (200).__eq__)
                    before = sum(len(load.created) for load in loads)
                    until(lambda: sum(len(load.created) for load in loads), (before + 50).__lt__)
                finally:
                    for load in loads:
                        load.stopping.set()
                    for thread in threads:
                        thread.join()
                assert [reply for load in loads for reply in load.others] == []
                created = {identity for load in loads for identity in load.created}
                assert created <= set(all_identities(client))
                assert [token for load in loads for token in load.dead if is_live(client, token)] == []
