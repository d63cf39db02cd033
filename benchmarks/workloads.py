"""What clients ask for: signed requests, to the byte, as an official client sends them.

Dates are valid for five minutes, so requests are signed right before each round.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate

from benchmarks.chats import Chats
from watchword.wire.signature import signed_headers

_VERSION = "api-version=2023-10-01"
_CLIENT = "azsdk-python-communication-identity/1.5.0 Python/3.11.2 (Linux-x86_64)"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to ask: the authority of the server, an access key of its resource, and identities that exist there, with
    their chats where some were filled in.
    """

    host: str
    key: bytes
    identities: Sequence[str]
    chats: Chats | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """`build` makes requests of a target, ready to be sent now, for a range of running numbers.

    `signature` and `durable` say what one request needs at least, beside its answer and the check of who sent it; of
    chat, `chat` names the one of its limits that is added to an answer and a token from the cache.
    """

    name: str
    build: Callable[[Target, range], list[bytes]]
    signature: bool = False
    durable: bool = False
    chat: str = ""

    def requests(self, target: Target, count: int, first: int = 0) -> list[bytes]:
        """That many different requests; the next ones with `first`."""
        return self.build(target, range(first, first + count))


_Plan = Callable[["Target", int], tuple[str, bytes]]
"""What the request with a running number is: its target and its body."""


def _signed(plan: _Plan) -> Callable[[Target, range], list[bytes]]:
    def build(target: Target, numbers: range) -> list[bytes]:
        date = formatdate(usegmt=True)
        return [_request(target, *plan(target, number), date) for number in numbers]

    return build


def _issue(target: Target, number: int) -> tuple[str, bytes]:
    return f"{_identity(target, number)}/:issueAccessToken?{_VERSION}", b'{"scopes":["chat","voip"]}'


def _create(_target: Target, _number: int) -> tuple[str, bytes]:
    return f"/identities?{_VERSION}", b""


def _create_with_token(_target: Target, _number: int) -> tuple[str, bytes]:
    return f"/identities?{_VERSION}", b'{"createTokenWithScopes":["chat","voip"]}'


def _revoke(target: Target, number: int) -> tuple[str, bytes]:
    return f"{_identity(target, number)}/:revokeAccessTokens?{_VERSION}", b""


def _mixed(target: Target, number: int) -> tuple[str, bytes]:
    """Fourteen requests of twenty issue, three create with a token, two create, one revokes."""
    kinds = [_issue] * 14 + [_create_with_token] * 3 + [_create] * 2 + [_revoke]
    # Steps of seven spread the kinds evenly over the twenty.
    return kinds[number * 7 % 20](target, number)


def _identity(target: Target, number: int) -> str:
    # A prime stride, so that neighbours in time are no neighbours in the table.
    return f"/identities/{target.identities[number * 7_919 % len(target.identities)].replace(':', '%3A')}"


ISSUE = Workload("issue", _signed(_issue), signature=True)
CREATE = Workload("create", _signed(_create), durable=True)
CREATE_WITH_TOKEN = Workload("create with token", _signed(_create_with_token), signature=True, durable=True)
REVOKE = Workload("revoke", _signed(_revoke), durable=True)
MIXED = Workload("mixed", _signed(_mixed), signature=True, durable=True)

_serial = itertools.count(1)


def _request(target: Target, path: str, body: bytes, date: str) -> bytes:
    headers = {
        "Host": target.host,
        "User-Agent": _CLIENT,
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate",
        "Connection": "keep-alive",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "x-ms-client-request-id": f"00000000-0000-0000-0000-{next(_serial):012x}",
        **signed_headers(target.key, "POST", path, host=target.host, date=date, body=body),
    }
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body
