"""Calls to one target: resolved, checked and connected anew at each attempt, within one limit of time.

All addresses of a name have to be such as may be called; the connection goes to one of them, as an address, so that
nobody resolves the name again. Host, SNI and the name that the certificate has to hold stay the target's. Redirects are
answers like others, nothing of the environment is used but what it says of trust, and of an answer 64 KB are read.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import httpx2

from watchword.errors import NoAnswer, reason_of
from watchword.outbound.addresses import AddressRule
from watchword.outbound.resolving import Resolve, resolve
from watchword.outbound.targets import Target, read_address

LARGEST_ANSWER_BYTES = 64 * 1024
MOST_ADDRESSES = 4
"""That are tried of a name; all of them are checked."""

_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=16, keepalive_expiry=3.0)
_NOT_REACHED = (httpx2.ConnectError, httpx2.ConnectTimeout)
_BROKEN = (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError)


@dataclass(frozen=True, slots=True)
class Reply:
    """Whatever was answered, a redirect too. Its body is for reading, and never for showing."""

    status: int
    body: bytes


class Calls:
    """Calls to a target, each in the task that brings it; connections are kept for seconds, and never shared.

    `verify` is who is trusted to say who a server is; by default the authorities that the machine trusts.
    """

    def __init__(
        self,
        target: Target,
        rule: AddressRule,
        *,
        resolve: Resolve = resolve,
        verify: ssl.SSLContext | None = None,
    ) -> None:
        self.target = target
        self._rule = rule
        self._resolve = resolve
        self._http = httpx2.AsyncHTTPTransport(verify=verify or True, limits=_LIMITS)

    async def post(self, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Reply:
        """Ask, and once more where the connection broke before there was an answer: it may have been kept for too long.

        Raises:
            AddressRefused: the target may not be called; nothing was sent.
            NoAnswer: none came in time, or one that is too large.
        """
        return await self.call("POST", body, headers, seconds=seconds)

    async def call(self, method: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Reply:
        """The same with any method.

        Raises:
            AddressRefused, NoAnswer: as `post`.
        """
        try:
            async with asyncio.timeout(seconds):
                try:
                    return await self._attempt(method, body, headers, seconds=seconds)
                except _BROKEN:
                    return await self._attempt(method, body, headers, seconds=seconds)
        except TimeoutError:
            raise NoAnswer(f"There was no answer within {seconds:g} seconds.") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise NoAnswer(_why(error)) from error

    async def close(self) -> None:
        await self._http.aclose()

    async def find_addresses(self) -> Sequence[str]:
        """Where a call would go, each of them checked.

        Raises:
            AddressRefused: one of them may not be called.
            NoAnswer: nobody knows the name.
        """
        host = self.target.host
        found = [host] if read_address(host) is not None else await self._resolve(host)
        checked = [self._rule.require(address, self.target.scheme) for address in found]
        if not checked:
            raise NoAnswer("The name stands for no address.")
        return list(dict.fromkeys(checked))[:MOST_ADDRESSES]

    async def _attempt(self, method: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Reply:
        addresses = await self.find_addresses()
        for address in addresses[:-1]:
            try:
                return await self._exchange(address, method, body, headers=headers, connect=seconds / len(addresses))
            except _NOT_REACHED:
                continue
        return await self._exchange(addresses[-1], method, body, headers=headers, connect=None)

    async def _exchange(
        self, address: str, method: str, body: bytes, *, headers: Mapping[str, str], connect: float | None
    ) -> Reply:
        target = self.target
        request = httpx2.Request(
            method,
            f"{target.scheme}://{target.at(address)}{target.path}",
            # Compressed, a small answer could become a large one.
            headers={"Host": target.authority, "Accept-Encoding": "identity", "User-Agent": "watchword", **headers},
            content=body,
            extensions={"sni_hostname": target.server_name, "timeout": httpx2.Timeout(None, connect=connect).as_dict()},
        )
        response = await self._http.handle_async_request(request)
        try:
            return Reply(response.status_code, await _read(response))
        finally:
            await response.aclose()


def _why(error: Exception) -> str:
    # What the library says of an answer that is none repeats it.
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.DecodingError):
        return "What came is no whole answer of HTTP."
    return f"There was no answer: {reason_of(error).rstrip('.')}."


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > LARGEST_ANSWER_BYTES:
            raise NoAnswer(f"The answer has more than {LARGEST_ANSWER_BYTES // 1024} KB.")
    return bytes(body)
