"""A journal on either engine, and those who append to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.journal.support import House
from tests.support.engines import Place


@pytest.fixture
async def house(place: Place) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        made = House(place, stack)
        yield made
        for task in made.listening:
            task.cancel()
        await asyncio.gather(*made.listening, return_exceptions=True)
