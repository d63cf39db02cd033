"""Verifying access tokens away from the service, from any thread.

    with TokenVerifier(endpoint, VerifierCredential("wwv_...")) as verifier:
        token = verifier.verify(text)
        require_scope(token, "Chat_ListChatThreads")

An `AsyncTokenVerifier` follows the service on a thread of its own; tokens are judged in the caller's, by what it has at
hand, so that only the first answers and unknown keys are waited for.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future, wait
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from watchword.client.authentication import AccessKeyCredential, connection_parts
from watchword.client.evidence import VerifierState
from watchword.client.forks import survive_forks
from watchword.client.introspection import Introspection
from watchword.client.verification import AsyncTokenVerifier, VerifierOptions
from watchword.client.verifier_credential import VerifierCredential
from watchword.errors import InvalidToken
from watchword.tokens.claims import AccessToken

Result = TypeVar("Result")

_LOOKING_UP_SECONDS = 1.0


class TokenVerifier:
    """Follows the service from the first `verify()` or `with` until `close()`. Safe to share between threads.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: an option is out of its bounds, or the credential would leave this machine unencrypted.
    """

    def __init__(
        self,
        endpoint: str,
        credential: VerifierCredential | AccessKeyCredential,
        **options: Unpack[VerifierOptions],
    ) -> None:
        self._make = partial(AsyncTokenVerifier, endpoint, credential, **options)
        self._closed = False
        self.begin_anew()
        survive_forks(self)

    def begin_anew(self) -> None:
        """Also in a process that was forked off: the thread that follows, and its connections, are its parent's."""
        self._follower = self._make()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._running: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    @classmethod
    def from_connection_string(cls, connection_string: str, **options: Unpack[VerifierOptions]) -> Self:
        """Proves itself with an access key, for development: in production, give a verifier a credential of its own.

        Raises:
            InvalidConnectionString: a part is missing or unreadable.
        """
        return cls(*connection_parts(connection_string), **options)

    def verify(self, token: str) -> AccessToken:
        """What the token proves. Waits for the network only before the first answers, and for an unknown key.

        Raises:
            InvalidToken: it proves nothing; `check` says which check failed.
        """
        self._start()
        evidence = self._follower.evidence
        if not evidence.settled:
            self._run(self._follower.first_answers)
        try:
            return evidence.verify(token)
        except InvalidToken as refused:
            if not self._follower.should_fetch(refused):
                raise
        self._run(self._follower.fetch_for_unknown_key)
        return evidence.verify(token)

    def introspect(self, token: str) -> Introspection:
        """What the service itself says of the token: exact at this instant, for the price of a round trip.

        Raises:
            ServiceError: the service said no.
            TransportError: no answer came.
        """
        self._start()
        return self._run(lambda: self._follower.introspect(token))

    def state(self) -> VerifierState:
        return self._follower.state()

    def close(self) -> None:
        """Stop following; the verifier cannot be used again."""
        with self._lock:
            self._closed = True
        if self._thread is not None:
            loop, stop = self._running.result()
            if self._thread.is_alive():
                loop.call_soon_threadsafe(stop.set)
            self._thread.join()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        # Late, so that a server that forks its workers starts the thread in those that verify.
        if self._thread is not None and not self._closed:
            return
        with self._lock:
            if self._closed:
                raise RuntimeError("the verifier was closed")
            if self._thread is None:
                # A daemon, so that a verifier that nobody closed does not keep the program from ending.
                self._thread = threading.Thread(target=self._follow, name="watchword-verifier", daemon=True)
                self._thread.start()

    def _follow(self) -> None:
        try:
            asyncio.run(self._follow_until_closed())
        except BaseException as error:
            if not self._running.done():
                self._running.set_exception(error)
            raise

    async def _follow_until_closed(self) -> None:
        stop = asyncio.Event()
        async with self._follower:
            self._running.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    def _run(self, act: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The outcome of a coroutine, which runs on the other thread."""
        loop, _ = self._running.result()
        coroutine = act()
        try:
            pending = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:
            coroutine.close()
            raise RuntimeError("the verifier was closed") from None
        while not pending.done():
            wait([pending], timeout=_LOOKING_UP_SECONDS)
            # A loop that is closed in the same instant may never begin with what it was handed.
            if loop.is_closed():
                pending.cancel()
        try:
            return pending.result()
        except CancelledError:
            raise RuntimeError("the verifier was closed") from None
