"""The table of identities, and sessions on a pool of connections that lose nothing once committed."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from sqlalchemy import create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker


class Base(DeclarativeBase):
    pass


class Identity(Base):
    __tablename__ = "identities"

    id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    tokens_valid_from: Mapped[datetime | None]


def open_database(path: Path) -> sessionmaker[Session]:
    # Without a bound: a request keeps its connection while it waits for a thread, so that with fewer connections than
    # requests all threads may wait for a connection, and nobody gives one back.
    engine = create_engine(f"sqlite:///{path}", pool_size=40, max_overflow=-1, connect_args={"timeout": 30})
    event.listen(engine, "connect", _make_durable)
    Base.metadata.create_all(engine)
    return sessionmaker(engine, expire_on_commit=False)


def _make_durable(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
