"""An OpenID issuer over the network, with its keys as last fetched.

    GET <address>/.well-known/openid-configuration     {"issuer": "...", "jwks_uri": "https://..."}
    GET <jwks_uri>                                     {"keys": [...]}

Keys are held by the same rules as by a verifier (`client.key_sets`): fetched ahead of time, kept through failures for
a day at the most, and asked for out of turn only once in a while.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from watchword.client.errors import TransportError
from watchword.client.fetching import Fetcher, Question, refusal
from watchword.client.key_sets import HeldKeySet
from watchword.client.replies import Reply
from watchword.client.requests import Request
from watchword.client.transport import Verify
from watchword.clock import Clock, steady_seconds
from watchword.errors import InvalidToken, IssuerUnavailable, OperatorError
from watchword.tokens.jwks import KeySet

DISCOVERY = "/.well-known/openid-configuration"
LARGEST_DISCOVERY_BYTES = 64 * 1024

_DEADLINE = timedelta(seconds=5)
_FIRST_ANSWER_SECONDS = 5.0
_RETRY_AFTER = timedelta(seconds=5)
_TENANT = "{tenantid}"
"""Entra ID's document for all tenants has this in place of the tenant's id."""


class _Discovery(msgspec.Struct):
    issuer: str
    jwks_uri: str


class RemoteIssuer:
    """An issuer over the network; `follow` keeps its keys fresh. `steady` counts seconds that no set clock can hide."""

    def __init__(
        self,
        address: str,
        clock: Clock,
        *,
        of_tenants: bool = False,
        steady: Callable[[], float] = steady_seconds,
        verify: Verify = None,
    ) -> None:
        self.address = address.rstrip("/")
        self._clock = clock
        self._of_tenants = of_tenants
        self._steady = steady
        self._verify = verify
        self._fetchers: dict[str, Fetcher] = {}
        self._found: _Discovery | None = None
        self._held = HeldKeySet(clock)
        self._answered = asyncio.Event()
        self._under_way: asyncio.Task[float] | None = None
        try:
            _split(self.address)
        except ValueError as error:
            raise OperatorError(
                f"{address!r} is no OpenID issuer: {error}",
                "Name issuers like https://login.microsoftonline.com/<tenant>.",
            ) from None

    async def follow(self) -> None:
        """Keeps the keys fresh until it is cancelled."""
        try:
            while True:
                pause = await self._fetch()
                await asyncio.sleep(pause)
        finally:
            for fetcher in self._fetchers.values():
                await fetcher.close()

    async def names_itself(self, issuer: str, tenant: str) -> bool:
        await self._first_answer()
        if self._found is None:
            raise self._unavailable()
        name = self._found.issuer
        if _TENANT in name:
            # Anybody can have a tenant: one that serves all of them counts only for those that are named.
            return self._of_tenants and bool(tenant) and name.replace(_TENANT, tenant) == issuer
        return name == issuer

    async def keys(self, kid: str) -> KeySet:
        await self._first_answer()
        now = self._steady()
        if self._held.keys.find(kid) is None and (self._is_fetching() or self._held.may_ask_for_unknown(now)):
            self._held.note_unknown(now)
            await self._fetch()
        try:
            self._held.require_fresh(self._steady())
        except InvalidToken:
            raise self._unavailable() from None
        if self._held.keys.find(kid) is None and self._held.error is not None:
            # It may be a new key, which nobody could tell us of.
            raise self._unavailable()
        return self._held.keys

    async def _first_answer(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_ANSWER_SECONDS):
                await self._answered.wait()

    async def _fetch(self) -> float:
        """Seconds until the next fetch. Whoever asks while one is under way waits for that one."""
        if self._under_way is None or self._under_way.done():
            self._under_way = asyncio.create_task(self._fetch_once())
        # Shielded: a caller that is cancelled does not take the fetch away from the others.
        return await asyncio.shield(self._under_way)

    def _is_fetching(self) -> bool:
        return self._under_way is not None and not self._under_way.done()

    async def _fetch_once(self) -> float:
        sent = self._steady()
        answer = await self._discover()
        if isinstance(answer, _Discovery):
            is_moved = self._found is not None and self._found.jwks_uri != answer.jwks_uri
            self._found = answer
            question = self._held.question()
            # The tag of a set at another address says nothing of this one.
            headers: Mapping[str, str] = {} if is_moved else question.headers
            reply = await self._ask(answer.jwks_uri, question.largest_bytes, headers)
        else:
            reply = answer
        pause = self._held.take(reply, sent)
        self._answered.set()
        return pause

    async def _discover(self) -> _Discovery | Reply | TransportError:
        reply = await self._ask(self.address + DISCOVERY, LARGEST_DISCOVERY_BYTES, {})
        if isinstance(reply, TransportError) or refusal(reply, self._clock) is not None:
            return reply
        try:
            found = msgspec.json.decode(reply.body, type=_Discovery)
            _split(found.jwks_uri)
        except (ValueError, RecursionError):
            # Refused where the reply is read as a key set: it is none.
            return Reply(200, {}, b"")
        return found

    async def _ask(self, address: str, largest_bytes: int, headers: Mapping[str, str]) -> Reply | TransportError:
        endpoint, target = _split(address)
        if endpoint not in self._fetchers:
            try:
                self._fetchers[endpoint] = Fetcher(endpoint, lambda *_: {}, self._verify)
            except TransportError as error:
                return error
        question = Question(Request("GET", target), headers, _DEADLINE, largest_bytes, is_public=True)
        return await self._fetchers[endpoint].ask(question)

    def _unavailable(self) -> IssuerUnavailable:
        return IssuerUnavailable(_RETRY_AFTER, self.address)


def _split(address: str) -> tuple[str, str]:
    """The endpoint, and the target on it.

    Raises:
        ValueError: neither https nor of this machine: whoever is on the way could put keys of his own in.
    """
    parts = urlsplit(address)
    is_loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or parts.scheme not in ("https", "http") or parts.username or parts.fragment:
        raise ValueError("it is no address of the form https://host/path.")
    if parts.scheme == "http" and not is_loopback:
        raise ValueError("its address has to begin with https://.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{parts.scheme}://{parts.netloc}", target
