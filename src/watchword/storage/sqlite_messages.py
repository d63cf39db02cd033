"""What workers and the process that writes for them say to each other, see `storage.channel` for how.

    Batch    ->   <- Results                        writes of the hot path; several may be under way at once
    Begin    ->   <- Rows or Failure                then a conversation that holds the writer's turn:
    Execute  ->   <- Rows or Failure
    Commit   ->   <- Rows or Failure                the end of the connection before it means: roll back

Both ends may be of two versions for the moment of an upgrade: `SOCKET_NAME` changes with the form of the messages, so
that they never meet.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import msgspec

from watchword.errors import Unavailable, Unstorable

SOCKET_NAME = "writer-1.sock"


class Batch(msgspec.Struct, tag=0, array_like=True):
    """Each row is the position of its statement, and the parameters by name."""

    number: int
    statements: list[tuple[str, ...]]
    rows: list[tuple[int, msgspec.Raw]]


class Begin(msgspec.Struct, tag=1, array_like=True):
    """Waits for the writer's turn, and takes it."""


class Execute(msgspec.Struct, tag=2, array_like=True):
    sql: str
    parameters: list[Any]


class ExecuteMany(msgspec.Struct, tag=3, array_like=True):
    sql: str
    rows: list[list[Any]]


class Commit(msgspec.Struct, tag=4, array_like=True):
    """Answered when the transaction is on disk."""


class Rows(msgspec.Struct, tag=5, array_like=True):
    """The rows of one statement; none where there is nothing to say but that it is done."""

    rows: list[tuple[Any, ...]] = []


class Failure(msgspec.Struct, tag=6, array_like=True):
    kind: str
    message: str
    retry_after_seconds: float = 0


class Results(msgspec.Struct, tag=7, array_like=True):
    """The results of a batch, in the order of its rows."""

    number: int
    results: list[Rows | Failure]


Request = Batch | Begin | Execute | ExecuteMany | Commit
Answer = Rows | Failure | Results

_ERRORS: dict[str, type[Exception]] = {
    error.__name__: error
    for error in (
        sqlite3.IntegrityError,
        sqlite3.OperationalError,
        sqlite3.ProgrammingError,
        sqlite3.DataError,
        sqlite3.InternalError,
        OverflowError,
    )
}


def to_failure(error: BaseException) -> Failure:
    if isinstance(error, Unavailable):
        return Failure("Unavailable", "", error.retry_after.total_seconds())
    return Failure(type(error).__name__, str(error))


def to_error(failure: Failure) -> Exception:
    if failure.kind == "Unavailable":
        return Unavailable(timedelta(seconds=failure.retry_after_seconds))
    if failure.kind == "Unstorable":
        return Unstorable()
    return _ERRORS.get(failure.kind, sqlite3.DatabaseError)(failure.message)


def encode_parameters(parameters: Any) -> msgspec.Raw:
    """Encode the parameters of a statement.

    Raises:
        OverflowError, TypeError, UnicodeEncodeError: a value that SQLite could not hold either.
    """
    return msgspec.Raw(_encoder.encode(parameters))


def decode_parameters(encoded: msgspec.Raw) -> dict[str, Any]:
    return _parameters.decode(encoded)


_encoder = msgspec.msgpack.Encoder()
_parameters = msgspec.msgpack.Decoder(dict[str, Any])
