"""Two processes on one SQLite file: what one commits the other sees, also when one of them has closed it."""

import subprocess
import sys
from pathlib import Path

from watchword.storage.sqlite import SqliteDatabase

OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from watchword.storage.sqlite import SqliteDatabase

async def main():
    database = SqliteDatabase(Path(sys.argv[1]))
    await database.transact(lambda transaction: transaction.execute("update clock set high_water_micros = $1", 42))
    await database.close()

asyncio.run(main())
"""
HIGH_WATER = "select high_water_micros from clock"


async def test_a_process_that_closes_the_file_leaves_the_log_to_those_who_have_it_open(tmp_path: Path) -> None:
    """A file descriptor on the database that we closed took our locks away; the other process then deleted the log."""
    path = tmp_path / "watchword.sqlite"
    database = SqliteDatabase(path)
    try:
        await database.transact(lambda transaction: transaction.execute("update clock set high_water_micros = 1"))
        log = path.with_name("watchword.sqlite-wal")
        inode = log.stat().st_ino
        subprocess.run([sys.executable, "-c", OTHER_PROCESS, str(path)], check=True, timeout=60)
        assert log.stat().st_ino == inode
        assert await database.query(HIGH_WATER) == [(42,)]
        assert await database.transact(lambda transaction: transaction.execute(HIGH_WATER)) == [(42,)]
    finally:
        await database.close()


async def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "watchword.sqlite"
    database = SqliteDatabase(path)
    try:
        assert [each.stat().st_mode & 0o077 for each in tmp_path.iterdir()] == [0, 0, 0]
    finally:
        await database.close()
