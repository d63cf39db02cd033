"""Servers of tests that name no engine: `running_server`, on the engine that was chosen for the whole suite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.engines import DATABASES
from watchword import testing
from watchword.settings import Settings
from watchword.testing import MovableClock, RunningServer


@contextmanager
def running_server(
    settings: Settings | None = None, *, data: Path | None = None, clock: MovableClock | None = None
) -> Iterator[RunningServer]:
    """As `watchword.testing` has it; settings that name a database keep it."""
    settings = settings or Settings(request_log=False)
    if not settings.database:
        settings = replace(settings, database=DATABASES.address(data))
    with testing.running_server(settings, data=data, clock=clock) as server:
        yield server
