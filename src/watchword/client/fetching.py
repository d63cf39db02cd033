"""Questions of a verifier in the background: one request, one answer, with a deadline and a cap on its size.

Redirects are not followed: a credential is never sent to a host that a reply chose, and keys never come from one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import httpx2

from watchword.client.errors import ServiceError, TransportError
from watchword.client.proxies import is_loopback, proxies_obeyed
from watchword.client.replies import Reply, error_of
from watchword.client.requests import Request
from watchword.client.retries import draw_fraction
from watchword.client.transport import Verify, host_of, trouble, trust
from watchword.clock import Clock

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
_CONNECT_SECONDS = 5.0

Prove = Callable[[Request, str], Mapping[str, str]]
"""The headers that prove who asks; of a request, and of the authority that it is sent to."""


@dataclass(frozen=True, slots=True)
class Question:
    """`deadline` is for the whole exchange; a `is_public` one is asked without saying who asks."""

    request: Request
    headers: Mapping[str, str]
    deadline: timedelta
    largest_bytes: int
    is_public: bool = False


class Fetcher:
    """Carries out questions, each in the task that brings it.

    Raises:
        TransportError: the environment names a proxy that cannot be used.
    """

    def __init__(self, endpoint: str, prove: Prove, verify: Verify) -> None:
        self._endpoint = endpoint
        self._host = host_of(endpoint)
        self._prove = prove
        self._verify = verify
        self._http = self._open()

    def begin_anew(self) -> None:
        """Another event loop runs: connections belong to the one before, which has ended."""
        self._http = self._open()

    def _open(self) -> httpx2.AsyncClient:
        endpoint, verify = self._endpoint, trust(self._verify)
        timeout = httpx2.Timeout(None, connect=_CONNECT_SECONDS)
        direct = httpx2.AsyncHTTPTransport(verify=verify) if is_loopback(endpoint) else None
        with proxies_obeyed(endpoint):
            return httpx2.AsyncClient(timeout=timeout, verify=verify, follow_redirects=False, transport=direct)

    async def ask(self, question: Question) -> Reply | TransportError:
        """The answer, or what came instead; never an exception that the network can cause."""
        try:
            async with asyncio.timeout(question.deadline.total_seconds()):
                return await self._exchange(question)
        except TimeoutError:
            return TransportError(f"No answer from {self._endpoint} within {question.deadline}.", sent=True)
        except httpx2.HTTPError as error:
            return trouble(self._endpoint, error)

    async def close(self) -> None:
        await self._http.aclose()

    async def _exchange(self, question: Question) -> Reply | TransportError:
        request = question.request
        # Compressed, a small reply could become a large one.
        headers = {"Host": self._host, "User-Agent": "watchword-verifier", "Accept-Encoding": "identity"}
        headers |= {"Accept": "application/json", **question.headers}
        if not question.is_public:
            headers |= self._prove(request, self._host)
        url = self._endpoint + request.target
        async with self._http.stream(request.method, url, headers=headers, content=request.body or None) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > question.largest_bytes:
                    return TransportError(f"The answer from {self._endpoint} is too large.", sent=True)
            names = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, names, bytes(body))


def refusal(reply: Reply, clock: Clock) -> ServiceError | None:
    """The error that a reply tells of; whatever is not 200, a redirect too, is one."""
    if reply.status != 200 and reply.status < 400:
        return reply.unexpected(f"The reply has status {reply.status}, where 200 belongs; is the endpoint right?")
    return error_of(reply, clock)


def backoff(
    failures: int,
    error: ServiceError | TransportError | None = None,
    *,
    longest_seconds: float = _LONGEST_PAUSE_SECONDS,
) -> float:
    """Seconds to wait after so many failures in a row, less up to a half by chance; or what the service asked for."""
    asked = error.retry_after if isinstance(error, ServiceError) else None
    if asked is not None:
        return min(asked.total_seconds(), _LONGEST_PAUSE_SECONDS)
    longest = min(longest_seconds, _LONGEST_PAUSE_SECONDS)
    return min(_FIRST_PAUSE_SECONDS * (1 << min(failures - 1, 20)), longest) * (1 - draw_fraction() / 2)
