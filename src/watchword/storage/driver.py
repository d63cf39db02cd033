"""What is said where the driver for PostgreSQL, which is an extra of its own, is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from watchword.errors import OperatorError, how_to_install


@contextmanager
def driver_required() -> Iterator[None]:
    """Around the import of the engine for PostgreSQL.

    Raises:
        OperatorError: its driver is not there.
    """
    try:
        yield
    except ImportError:
        raise OperatorError("PostgreSQL needs a driver that is not installed.", how_to_install("postgres")) from None
