"""The self-renewing credential for asyncio; the rules of time are tested with the blocking one."""

import asyncio
from datetime import timedelta

import pytest
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import HttpRequest

from tests.client.refresher import MINUTE, Refresher, Timers, token
from tests.support.scripted_server import reply, scripted_server
from watchword.client import AsyncUserTokenCredential, InvalidToken, RefreshFailed
from watchword.testing import MovableClock


class Gate:
    """A refresher that waits until the test lets it go on."""

    def __init__(self, refresher: Refresher) -> None:
        self.refresher = refresher
        self.begun = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self) -> str:
        self.begun.set()
        await self.open.wait()
        return self.refresher()


async def test_a_token_is_kept_and_renewed_ten_minutes_ahead(clock: MovableClock, refresher: Refresher) -> None:
    async def refresh() -> str:
        return refresher()

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock)
    first = await credential.get_token("any scope", claims="any")
    clock.move(50 * MINUTE - timedelta(microseconds=1))
    assert await credential.get_token() == first
    clock.move(timedelta(microseconds=1))
    assert await credential.get_token() != first
    assert refresher.calls == 2


async def test_tasks_without_a_token_share_one_refresh(clock: MovableClock, refresher: Refresher) -> None:
    gate = Gate(refresher)
    credential = AsyncUserTokenCredential(refresher=gate, clock=clock)
    asking = [asyncio.create_task(credential.get_token()) for _ in range(50)]
    await gate.begun.wait()
    gate.open.set()
    assert len(set(await asyncio.gather(*asking))) == 1
    assert refresher.calls == 1


async def test_a_task_that_is_cancelled_takes_nothing_from_the_others(
    clock: MovableClock, refresher: Refresher
) -> None:
    gate = Gate(refresher)
    credential = AsyncUserTokenCredential(refresher=gate, clock=clock)
    impatient, patient = (asyncio.create_task(credential.get_token()) for _ in range(2))
    await gate.begun.wait()
    impatient.cancel()
    gate.open.set()
    assert (await patient).token
    assert impatient.cancelled()
    assert refresher.calls == 1


async def test_while_one_task_refreshes_the_others_go_on_with_the_current_token(
    clock: MovableClock, refresher: Refresher
) -> None:
    gate = Gate(refresher)
    first = token(clock, 30 * MINUTE)
    credential = AsyncUserTokenCredential(first, refresher=gate, clock=clock)
    clock.move(25 * MINUTE)
    fetching = asyncio.create_task(credential.get_token())
    await gate.begun.wait()
    assert (await credential.get_token()).token == first
    gate.open.set()
    assert (await fetching).token != first


async def test_a_failure_is_an_error_only_once_no_token_is_left(clock: MovableClock, refresher: Refresher) -> None:
    async def refresh() -> str:
        return refresher()

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock)
    first = await credential.get_token()
    refresher.failure = OSError("no network")
    clock.move(55 * MINUTE)
    assert await credential.get_token() == first
    clock.move(5 * MINUTE)
    for _ in range(2):
        with pytest.raises(OSError, match="no network"):
            await credential.get_token()
    refresher.failure = None
    assert await credential.get_token() != first


async def test_a_refresher_that_returns_no_token_is_told_so(clock: MovableClock) -> None:
    async def refresh() -> str:
        return ""

    with pytest.raises(InvalidToken):
        await AsyncUserTokenCredential(refresher=refresh, clock=clock).get_token()


async def test_a_proactive_credential_renews_itself_until_it_is_closed(
    clock: MovableClock, refresher: Refresher, timers: Timers
) -> None:
    fetched = asyncio.Queue[None]()

    async def refresh() -> str:
        fetched.put_nowait(None)
        return refresher()

    credential = AsyncUserTokenCredential(refresher=refresh, proactive=True, clock=clock, start_timer=timers.start)
    async with credential:
        for expected in (0.0, 3000.0, 3000.0):
            assert timers.come() == expected
            await fetched.get()
            await credential.get_token()
        assert refresher.calls == 3
    assert timers.pending == []
    with pytest.raises(RuntimeError, match="closed"):
        await credential.get_token()


async def test_a_proactive_refresh_that_fails_is_logged_and_tried_again(
    clock: MovableClock, refresher: Refresher, timers: Timers, caplog: pytest.LogCaptureFixture
) -> None:
    refresher.failure = OSError("no network")
    again = asyncio.Event()

    async def refresh() -> str:
        again.set()
        return refresher()

    async with AsyncUserTokenCredential(refresher=refresh, proactive=True, clock=clock, start_timer=timers.start):
        timers.come()
        await again.wait()
        await asyncio.sleep(0)
        assert [seconds for seconds, _ in timers.pending] == [10.0]
        assert "no network" in caplog.text


async def test_closing_gives_up_a_fetch_that_is_under_way(clock: MovableClock, refresher: Refresher) -> None:
    gate = Gate(refresher)
    credential = AsyncUserTokenCredential(refresher=gate, clock=clock)
    asking = asyncio.create_task(credential.get_token())
    await gate.begun.wait()
    await credential.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert refresher.calls == 0


async def test_the_real_timer_fetches_on_the_event_loop(clock: MovableClock, refresher: Refresher) -> None:
    gate = Gate(refresher)
    async with AsyncUserTokenCredential(refresher=gate, proactive=True, clock=clock):
        await asyncio.wait_for(gate.begun.wait(), timeout=10)


def test_a_credential_that_outlives_its_event_loop_works_in_the_next(clock: MovableClock, refresher: Refresher) -> None:
    async def refresh() -> str:
        return refresher()

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock)

    async def begin_and_leave() -> None:
        asking = asyncio.create_task(credential.get_token())
        await asyncio.sleep(0)
        asking.cancel()

    async def ask() -> str:
        return (await credential.get_token()).token

    asyncio.run(begin_and_leave())
    assert asyncio.run(ask())


async def test_clients_built_on_azure_core_take_it(clock: MovableClock, refresher: Refresher) -> None:
    async def refresh() -> str:
        return refresher()

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock)
    # Its types name azure-core's own NamedTuple, which the library does without; the shape is the same.
    policy = AsyncBearerTokenCredentialPolicy(credential, "https://communication.azure.com//.default")  # type: ignore[arg-type]
    with scripted_server(reply(204)) as server:
        async with AsyncPipeline(AioHttpTransport(), [policy]) as pipeline:
            await pipeline.run(HttpRequest("GET", f"{server.endpoint}/chat/threads"), enforce_https=False)
    expected = (await credential.get_token()).token
    assert server.received[0].headers["authorization"] == f"Bearer {expected}"


async def test_a_refresher_that_asks_its_own_credential_is_told_so(clock: MovableClock) -> None:
    async def refresh() -> str:
        # By way of another task, as an HTTP client does it.
        return (await asyncio.create_task(credential.get_token())).token

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock)
    with pytest.raises(RefreshFailed, match="asked the credential that it is to renew"):
        await credential.get_token()


async def test_a_refresher_that_does_not_end_is_cancelled_at_the_deadline(clock: MovableClock) -> None:
    cancelled: list[bool] = []

    async def refresh() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return ""

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock, refresh_deadline=timedelta(seconds=0.05))
    with pytest.raises(RefreshFailed, match="did not return a token"):
        await credential.get_token()
    assert cancelled


async def test_a_timeout_of_the_refresher_itself_is_raised_as_it_is(clock: MovableClock) -> None:
    async def refresh() -> str:
        raise TimeoutError("of its own")

    credential = AsyncUserTokenCredential(refresher=refresh, clock=clock)
    with pytest.raises(TimeoutError, match="of its own"):
        await credential.get_token()
