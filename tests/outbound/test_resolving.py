"""The system's own resolver, asked beside the event loop."""

import pytest

from watchword.errors import NoAnswer
from watchword.outbound import resolving
from watchword.outbound.resolving import MOST_QUESTIONS, resolve


async def test_name_of_this_machine_is_found() -> None:
    assert set(await resolve("localhost")) <= {"127.0.0.1", "::1"}


async def test_what_inet_aton_understands_comes_out_as_an_address_to_judge() -> None:
    assert await resolve("2130706433") == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["nobody.invalid", "", "a" * 70, "\ud800"])
async def test_name_that_nobody_knows_is_told_in_words(name: str) -> None:
    with pytest.raises(NoAnswer):
        await resolve(name)


async def test_no_more_than_so_many_wait_for_a_name_server_at_once() -> None:
    for _ in range(MOST_QUESTIONS):
        assert resolving._under_way.acquire(blocking=False)
    try:
        with pytest.raises(NoAnswer, match="Too many"):
            await resolve("localhost")
    finally:
        resolving._under_way.release(MOST_QUESTIONS)
    assert await resolve("localhost")
