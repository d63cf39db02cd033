"""`watchword clock lower`, after a clock that was ahead."""

from __future__ import annotations

import pytest

from tests.support.commands import Home, run
from tests.support.data import Located, transact
from tests.support.engines import DATABASES
from tests.support.servers import running_server
from watchword.clock import SystemClock
from watchword.settings import Settings


@pytest.mark.parametrize("hours", [-1, 30])
def test_it_lowers_what_is_ahead_and_leaves_the_rest(home: Home, hours: int) -> None:
    with running_server(data=home.server_data):
        pass
    here = Located(Settings(database=DATABASES.address(home.server_data)), home.server_data)
    now = SystemClock().micros()
    marked = now + hours * 3_600_000_000
    transact(here, lambda each: each.execute("update clock set high_water_micros = $1, reserved_micros = 0", marked))
    told = run(home, "clock", "lower")
    assert told.returncode == 0, told
    [(high_water, reserved)] = transact(
        here, lambda each: each.execute("select high_water_micros, reserved_micros from clock")
    )
    if hours < 0:
        assert "There was nothing to do" in told.stderr
        assert (high_water, reserved) == (marked, 0)
    else:
        assert "they go on from" in told.stderr
        assert "watchword keys revoke" in told.stderr
        assert now <= high_water < now + 3_600_000_000
        assert reserved == marked
