"""Verifying access tokens away from the service, with asyncio: a key set and revocations that keep themselves fresh.

    async with AsyncTokenVerifier(endpoint, VerifierCredential("wwv_...")) as verifier:
        token = await verifier.verify(text)
        require_scope(token, "Chat_ListChatThreads")

What is refused and when is told in `tokens.verifier`, `revocation_set` and `key_sets`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection
from datetime import timedelta
from types import TracebackType
from typing import Self, TypedDict, Unpack

from watchword.client.authentication import AccessKeyCredential, connection_parts
from watchword.client.errors import TransportError
from watchword.client.evidence import Evidence, VerifierState
from watchword.client.fetching import Fetcher, Question
from watchword.client.introspection import Introspection, introspection_question, read_introspection
from watchword.client.loops import OneLoop
from watchword.client.replies import Reply
from watchword.client.revocation_set import WhenStale
from watchword.client.transport import Verify
from watchword.client.verifier_credential import VerifierCredential, prover
from watchword.clock import Clock, SystemClock, steady_seconds
from watchword.errors import InvalidToken
from watchword.tokens.claims import AccessToken
from watchword.wire.connection_string import parse_endpoint

MAX_STALENESS = timedelta(seconds=10)

_FIRST_ANSWERS_SECONDS = 5.0
_AFTER_SURPRISE_SECONDS = 1.0
_CLOCK = SystemClock()
_log = logging.getLogger("watchword.client")


class VerifierOptions(TypedDict, total=False):
    """The keywords that both ways of making a verifier take; docs/reference/verifier.md explains them."""

    resources: Collection[str] | None
    issuer: str | None
    leeway: timedelta
    max_staleness: timedelta
    when_stale: WhenStale
    verify: Verify
    clock: Clock
    steady: Callable[[], float]


class AsyncTokenVerifier:
    """Follows the service from the first `verify()` or `async with` until `close()`; one event loop uses it.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: an option is out of its bounds, or the credential would leave this machine unencrypted.
    """

    def __init__(
        self,
        endpoint: str,
        credential: VerifierCredential | AccessKeyCredential,
        *,
        resources: Collection[str] | None = None,
        issuer: str | None = None,
        leeway: timedelta = timedelta(0),
        max_staleness: timedelta = MAX_STALENESS,
        when_stale: WhenStale = "refuse",
        verify: Verify = None,
        clock: Clock = _CLOCK,
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        endpoint = parse_endpoint(endpoint)
        self.evidence = Evidence(
            clock,
            steady,
            resources=resources,
            issuer=issuer,
            leeway=leeway,
            max_staleness=max_staleness,
            when_stale=when_stale,
        )
        self._clock = clock
        self._steady = steady
        self._fetcher = Fetcher(endpoint, prover(credential, endpoint, clock), verify)
        self._settled = asyncio.Event()
        self._following: list[asyncio.Task[None]] = []
        self._unknown_fetch: asyncio.Task[None] | None = None
        self._closed = False
        self._loop = OneLoop("verifier")

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Unpack[VerifierOptions]) -> Self:
        """Proves itself with an access key, for development: in production, give a verifier a credential of its own.

        Raises:
            InvalidConnectionString: a part is missing or unreadable.
        """
        return cls(*connection_parts(connection_string), **options)

    async def verify(self, token: str) -> AccessToken:
        """What the token proves. Waits for the network only before the first answers, and for an unknown key.

        Raises:
            InvalidToken: it proves nothing; `check` says which check failed.
        """
        await self.first_answers()
        try:
            return self.evidence.verify(token)
        except InvalidToken as refused:
            if not self.should_fetch(refused):
                raise
        await self.fetch_for_unknown_key()
        return self.evidence.verify(token)

    async def introspect(self, token: str) -> Introspection:
        """What the service itself says of the token: exact at this instant, for the price of a round trip.

        Raises:
            ServiceError: the service said no.
            TransportError: no answer came.
        """
        self._require_open()
        self._enter_loop()
        return read_introspection(await self._fetcher.ask(introspection_question(token)), self._clock)

    def state(self) -> VerifierState:
        return self.evidence.state()

    async def close(self) -> None:
        """Stop following; the verifier cannot be used again."""
        self._enter_loop()
        self._closed = True
        tasks = [*self._following, *([self._unknown_fetch] if self._unknown_fetch else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._fetcher.close()

    async def __aenter__(self) -> Self:
        self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def first_answers(self) -> None:
        """Waits until feed and key set were each heard of once, for some seconds at the most; then returns at once."""
        self._begin()
        if not self._settled.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FIRST_ANSWERS_SECONDS):
                    await self._settled.wait()

    def should_fetch(self, refused: InvalidToken) -> bool:
        """Whether a newer key set might change a refusal, and is being fetched or may be."""
        return refused.check == "key" and (self._is_fetching() or self.evidence.may_ask_for_unknown_key())

    async def fetch_for_unknown_key(self) -> None:
        """Fetch the key set, or wait for the fetch that is under way."""
        if not self._is_fetching():
            if not self.evidence.may_ask_for_unknown_key():
                return
            self.evidence.note_unknown_key()
            self._unknown_fetch = asyncio.create_task(self._fetch_key_set())
        if self._unknown_fetch is not None:
            # Shielded: a caller that is cancelled does not take the fetch away from the others.
            await asyncio.shield(self._unknown_fetch)

    def _is_fetching(self) -> bool:
        return self._unknown_fetch is not None and not self._unknown_fetch.done()

    async def _fetch_key_set(self) -> None:
        sent = self._steady()
        self.evidence.take_key_set(await self._fetcher.ask(self.evidence.key_set_question()), sent)

    def _begin(self) -> None:
        self._require_open()
        self._enter_loop()
        if not self._following:
            feed = self.evidence.subscriber
            self._following = [
                asyncio.create_task(self._follow(feed.question, feed.take)),
                asyncio.create_task(self._follow(self.evidence.key_set_question, self.evidence.take_key_set)),
            ]

    def _enter_loop(self) -> None:
        if self._loop.enter():
            # What it knew stays; it follows anew.
            self._following, self._unknown_fetch, self._settled = [], None, asyncio.Event()
            self._fetcher.begin_anew()

    async def _follow(
        self, question: Callable[[], Question], take: Callable[[Reply | TransportError, float], float]
    ) -> None:
        while True:
            try:
                # Before it is sent, not after: what the answer does not hold yet may have been committed from here on.
                sent = self._steady()
                delay = take(await self._fetcher.ask(question()), sent)
            except Exception:  # noqa: BLE001 - logged, and the refusals that follow are loud.
                # Whatever it is, following must go on; and until it does, what is at hand grows stale and refuses.
                _log.exception("A verifier could not follow the service; it tries again.")
                delay = _AFTER_SURPRISE_SECONDS
            if self.evidence.settled:
                self._settled.set()
            await asyncio.sleep(delay)

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("the verifier was closed")
