"""Conversations over the network, blocking or not: the only place that knows how the HTTP library sends and fails."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Generator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, assert_never

import httpx2

from watchword.client.authentication import FetchBearer
from watchword.client.conversation import Pause, Send, Step
from watchword.client.errors import CertificateNotTrusted, TransportError
from watchword.client.forks import survive_forks
from watchword.client.loops import OneLoop
from watchword.client.proxies import advice, is_loopback, proxies_obeyed
from watchword.client.replies import Reply
from watchword.errors import InvalidConnectionString, reason_of

Result = TypeVar("Result")
Verify = ssl.SSLContext | str | os.PathLike[str] | None

# Many servers drop a connection that was idle for five seconds. A request that meets the dropping half-way may or may
# not have been carried out, so idle connections are given up before that.
_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3.0)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)


def host_of(endpoint: str) -> str:
    """The authority as it is sent, and so as it is signed: in lower case, without the scheme's own port.

    Raises:
        InvalidConnectionString: no such host can be.
    """
    try:
        return httpx2.URL(endpoint).netloc.decode("ascii")
    except httpx2.InvalidURL:
        raise InvalidConnectionString("The endpoint's host cannot be read.") from None


class Transport:
    """Carries out conversations, each in the thread that brings it."""

    def __init__(
        self,
        endpoint: str,
        credential: Any,
        timeout: timedelta | None,
        *,
        verify: Verify,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._sleep = sleep
        self._timeout, self._verify = timeout, verify
        self._http = self._open()
        survive_forks(self)

    def begin_anew(self) -> None:
        """A process that was forked off has its parent's connections."""
        self._http = self._open()

    def _open(self) -> httpx2.Client:
        verify = trust(self._verify)
        direct = httpx2.HTTPTransport(limits=_LIMITS, verify=verify) if is_loopback(self._endpoint) else None
        with proxies_obeyed(self._endpoint):
            return httpx2.Client(limits=_LIMITS, timeout=_seconds(self._timeout), verify=verify, transport=direct)

    def run(self, conversation: Generator[Step, Any, Result]) -> Result:
        answer = None
        while True:
            try:
                step = conversation.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer = self._carry_out(step)

    def close(self) -> None:
        self._http.close()

    def _carry_out(self, step: Step) -> Any:
        match step:
            case Send():
                try:
                    return _reply(self._http.send(_request(self._http, self._endpoint, step)))
                except httpx2.HTTPError as error:
                    return trouble(self._endpoint, error)
            case Pause(delay):
                return self._sleep(delay.total_seconds())
            case FetchBearer(scope):
                return self._credential.get_token(scope)
            case _ as never:
                assert_never(never)


class AsyncTransport:
    """Carries out conversations, each in the task that brings it."""

    def __init__(
        self,
        endpoint: str,
        credential: Any,
        timeout: timedelta | None,
        *,
        verify: Verify,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._sleep = sleep
        self._timeout, self._verify = timeout, verify
        self._http = self._open()
        self._loop = OneLoop("client")

    def _open(self) -> httpx2.AsyncClient:
        verify = trust(self._verify)
        direct = httpx2.AsyncHTTPTransport(limits=_LIMITS, verify=verify) if is_loopback(self._endpoint) else None
        with proxies_obeyed(self._endpoint):
            return httpx2.AsyncClient(limits=_LIMITS, timeout=_seconds(self._timeout), verify=verify, transport=direct)

    async def run(self, conversation: Generator[Step, Any, Result]) -> Result:
        """Carry out what the conversation asks for, step by step.

        Raises:
            RuntimeError: another event loop uses this one.
        """
        if self._loop.enter() and not self._http.is_closed:
            self._http = self._open()
        answer = None
        while True:
            try:
                step = conversation.send(answer)
            except StopIteration as end:
                result: Result = end.value
                return result
            answer = await self._carry_out(step)

    async def close(self) -> None:
        if self._loop.enter():
            # The connections went with the loop that they belonged to.
            self._http = self._open()
        await self._http.aclose()

    async def _carry_out(self, step: Step) -> Any:
        match step:
            case Send():
                try:
                    return _reply(await self._http.send(_request(self._http, self._endpoint, step)))
                except httpx2.HTTPError as error:
                    return trouble(self._endpoint, error)
            case Pause(delay):
                return await self._sleep(delay.total_seconds())
            case FetchBearer(scope):
                return await self._credential.get_token(scope)
            case _ as never:
                assert_never(never)


def _request(http: httpx2.Client | httpx2.AsyncClient, endpoint: str, step: Send) -> httpx2.Request:
    # The target is such that the library finds nothing to normalize in it; requests.py sees to that.
    url = endpoint + step.request.target
    return http.build_request(step.request.method, url, headers=step.headers, content=step.request.body or None)


def _reply(response: httpx2.Response) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, response.content)


def trouble(endpoint: str, error: httpx2.HTTPError) -> TransportError:
    trouble = _describe(endpoint, error)
    trouble.__cause__ = error
    return trouble


def _describe(endpoint: str, error: httpx2.HTTPError) -> TransportError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            remedy = "Trust its CA with verify=, or with the environment variable SSL_CERT_FILE."
            message = f"The certificate of {endpoint} is not trusted: {cause.verify_message}. {remedy}"
            return CertificateNotTrusted(message, sent=False)
        cause = cause.__cause__ or cause.__context__
    return TransportError(
        f"No answer from {endpoint}: {reason_of(error)}.{advice(endpoint)}",
        not isinstance(error, _NOT_SENT),
    )


def _seconds(timeout: timedelta | None) -> httpx2.Timeout:
    return httpx2.Timeout(timeout.total_seconds() if timeout is not None else None)


def trust(verify: Verify) -> ssl.SSLContext | bool:
    match verify:
        case None:
            return True  # The machine's own store, or what SSL_CERT_FILE and SSL_CERT_DIR name.
        case ssl.SSLContext():
            return verify
        case _ if Path(verify).is_dir():
            return ssl.create_default_context(capath=verify)
        case _:
            return ssl.create_default_context(cafile=verify)
