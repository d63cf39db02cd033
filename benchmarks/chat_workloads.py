"""What clients of chat ask for, by their access tokens: as the official ones send it, to the byte that matters."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from urllib.parse import urlencode

from benchmarks.chats import CONTENT_BYTES, Chats
from benchmarks.workloads import ISSUE, Target, Workload
from watchword.wire.chat_cursors import write_cursor

PAGE = 20
THREADS = 50
_VERSION = "2025-03-15"
_BODY = b'{"content":"%b","type":"text","senderDisplayName":"somebody"}' % (b"x" * CONTENT_BYTES)


def issue_tokens(target: Target, port: int) -> None:
    """One for each user of its chats."""
    chats = chats_of(target)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for user in chats.users:
            [request] = ISSUE.requests(Target(target.host, target.key, [user]), 1)
            connection.sendall(request)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            chats.tokens.append(json.loads(answer.read())["token"])


def chats_of(target: Target) -> Chats:
    assert target.chats is not None, "no chats were filled in"
    return target.chats


_Asked = Callable[[Chats, int], tuple[str, str, bytes, int]]
"""Method, target and body of the request with a running number, and the number of the thread whose member asks."""


def _by_token(plan: _Asked) -> Callable[[Target, range], list[bytes]]:
    def build(target: Target, numbers: range) -> list[bytes]:
        chats = chats_of(target)
        return [_request(target, chats, *plan(chats, number)) for number in numbers]

    return build


def _send(chats: Chats, number: int) -> tuple[str, str, bytes, int]:
    thread = _thread(chats, number)
    return "POST", f"{_messages(chats, thread)}?api-version={_VERSION}", _BODY, thread


def _first_page(chats: Chats, number: int) -> tuple[str, str, bytes, int]:
    thread = _thread(chats, number)
    return "GET", f"{_messages(chats, thread)}?maxPageSize={PAGE}&api-version={_VERSION}", b"", thread


def _last_page(chats: Chats, number: int) -> tuple[str, str, bytes, int]:
    return _page_below(chats, number, PAGE)


def _any_page(chats: Chats, number: int) -> tuple[str, str, bytes, int]:
    """Somewhere in the middle, elsewhere for each number."""
    count = chats.plan.messages_of_thread
    return _page_below(chats, number, PAGE + number * 7_919 % (count - PAGE))


def _page_below(chats: Chats, number: int, message: int) -> tuple[str, str, bytes, int]:
    thread = _thread(chats, number)
    reader = chats.user(thread).removeprefix("8:")
    cursor = write_cursor((0, chats.version(thread, message)), "messages", chats.thread(thread), reader)
    query = urlencode({"syncState": cursor, "maxPageSize": PAGE, "api-version": _VERSION})
    return "GET", f"{_messages(chats, thread)}?{query}", b"", thread


def _threads(size: int) -> _Asked:
    def plan(chats: Chats, number: int) -> tuple[str, str, bytes, int]:
        del chats
        return "GET", f"/chat/threads?maxPageSize={size}&api-version={_VERSION}", b"", number

    return plan


def _thread(chats: Chats, number: int) -> int:
    # A prime stride, as of identities.
    return number * 7_919 % chats.plan.threads


def _messages(chats: Chats, thread: int) -> str:
    return f"/chat/threads/{chats.thread(thread).replace(':', '%3A').replace('@', '%40')}/messages"


def _request(target: Target, chats: Chats, method: str, path: str, body: bytes, thread: int) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {target.host}",
        "User-Agent: azsdk-python-communication-chat/1.3.0 Python/3.11.2 (Linux-x86_64)",
        "Accept: application/json",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
        f"Authorization: Bearer {chats.token(thread)}",
        *(["Content-Type: application/json", f"Content-Length: {len(body)}"] if method == "POST" else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


SEND = Workload("send", _by_token(_send), durable=True, chat="row")
FIRST_PAGE = Workload(f"page of {PAGE} messages", _by_token(_first_page), chat="page")
LAST_PAGE = Workload("last page of messages", _by_token(_last_page), chat="page")
ANY_PAGE = Workload("page of messages in the middle", _by_token(_any_page), chat="page")
LIST_THREADS = Workload(f"list of {THREADS} threads", _by_token(_threads(THREADS)), chat="threads")
LIST_FEW_THREADS = Workload("list of 5 threads", _by_token(_threads(5)))
"""So few that there is a next page also of a user in ten."""
