"""The two engines under one roof: what a test asks for here, it gets on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.postgres import Cluster
from watchword.settings import Settings
from watchword.storage import Database
from watchword.storage.opening import open_database

ENGINES = ("sqlite", "postgres")


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
