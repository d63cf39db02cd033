"""A socket that was told to go back, where reading what it missed goes wrong."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import pytest

from watchword.http.conversation import NORMAL
from watchword.realtime.arrivals import Arrivals
from watchword.realtime.roster import Roster
from watchword.realtime.session import Session


class Broken(Roster):
    def of_user(self, session: Session) -> Any:
        raise RuntimeError("as nobody expected it")


class Socket:
    """What `again` asks of a session."""

    def __init__(self) -> None:
        self.has_ended = False
        self.code: int | None = None

    def end(self, frame: bytes | None = None, code: int = NORMAL) -> None:
        assert frame is None
        self.has_ended, self.code = True, code


async def test_it_ends_so_that_its_client_comes_again(caplog: pytest.LogCaptureFixture) -> None:
    nobody = cast(Any, None)
    arrivals = Arrivals(
        hub=nobody,
        roster=Broken(),
        handover=nobody,
        endings=nobody,
        narrator=nobody,
        store=nobody,
        counts=nobody,
        clock=nobody,
        turns=asyncio.Semaphore(1),
        leave=nobody,
    )
    socket = Socket()
    with caplog.at_level(logging.ERROR):
        await arrivals.again(cast(Session, socket))
    assert (socket.has_ended, socket.code) == (True, 1013)
    assert "a realtime socket could not go on" in caplog.text
