"""The two engines under one roof: what a test asks for here, it gets on SQLite and on PostgreSQL.

A test that names no engine runs on the one that WATCHWORD_TEST_ENGINE chooses for the whole suite, SQLite by default.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.postgres import Cluster
from watchword.settings import Settings
from watchword.storage import Database
from watchword.storage.opening import open_database

ENGINES = ("sqlite", "postgres")

CHOSEN = os.environ.get("WATCHWORD_TEST_ENGINE", "sqlite")
assert CHOSEN in ENGINES, f"WATCHWORD_TEST_ENGINE is one of {', '.join(ENGINES)}, and not {CHOSEN!r}"


@dataclass
class Databases:
    """One database of the chosen engine for each data folder, so that a second start finds what the first one made."""

    cluster: Cluster | None = None
    _addresses: dict[Path, str] = field(default_factory=dict)

    def address(self, folder: Path | None) -> str:
        """What WATCHWORD_DATABASE says for a data folder, or for one that nobody starts on again."""
        if self.cluster is None:
            return ""
        found = self._addresses.get(folder.resolve()) if folder else None
        if found is None:
            # A thread has no event loop yet, whoever asks.
            with ThreadPoolExecutor(1) as thread:
                found = thread.submit(self.cluster.fresh).result()
        if folder:
            self._addresses[folder.resolve()] = found
        return found

    def share(self, folder: Path, other: Path) -> None:
        """A copy of a data folder stands on the database of the original; SQLite's is copied with it."""
        self._addresses[folder.resolve()] = self.address(other)


DATABASES = Databases()


class FreshSettings:
    """Settings of a server without TLS; each call names another database of the engine, which is empty."""

    def __init__(self, cluster: Cluster | None) -> None:
        self._cluster = cluster

    def __call__(self, **chosen: Any) -> Settings:
        every: dict[str, Any] = {"request_log": False, "tls": False, "database": self.address()}
        return Settings(**(every | chosen))

    def address(self) -> str:
        """What WATCHWORD_DATABASE says: nothing for SQLite, whose file is in the data folder."""
        return self._cluster.fresh() if self._cluster else ""


@dataclass(frozen=True)
class Place:
    """Where one database is; whoever opens it is one more process, or node, on it."""

    settings: Settings
    folder: Path

    @property
    def is_postgres(self) -> bool:
        return bool(self.settings.database)

    async def open(self) -> Database:
        return await open_database(self.settings, self.folder)
