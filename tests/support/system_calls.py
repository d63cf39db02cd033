"""What a process asked of the kernel, in order, as strace wrote it down; and what that proves of durability.

30000 read(21<TCP:[127.0.0.1:35071->127.0.0.1:58000]>, "POST /identities?api-ver"..., 256000) = 313
30001 pwrite64(12</data/watchword.sqlite-wal>, "..."..., 24, 0) = 24
30001 fdatasync(12</data/watchword.sqlite-wal> <unfinished ...>
30001 <... fdatasync resumed>)          = 0
30000 write(21<TCP:[127.0.0.1:35071->127.0.0.1:58000]>, "HTTP/1.1 201 Created\\r\\n"..., 700) = 700
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.polling import until

_CALLS = "read,recvfrom,recvmsg,write,writev,sendto,sendmsg,pwrite64,fdatasync,fsync,openat,link,linkat,rename,unlink"
_LINE = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_RESUMED = re.compile(r"(?P<thread>\d+) +<\.\.\. (?P<name>\w+) resumed>(?P<rest>.*)")
_FILE = re.compile(r"\d+<(?P<path>[^>]*(?:->[^>]*)?)>")
_WRITING = re.compile(r'"(POST /(identities|chat/threads)|DELETE /|PATCH /)')
"""A path may be longer than what the trace shows of it."""
_SENDING = ("write", "writev", "sendto", "sendmsg")
_RECEIVING = ("read", "recvfrom", "recvmsg")


@dataclass(frozen=True)
class SystemCall:
    """Where it began and where it returned, as line numbers; `file` is the path or the socket that it is about."""

    name: str
    file: str
    arguments: str
    began: int
    ended: int

    @property
    def failed(self) -> bool:
        return re.search(r"= -\d", self.arguments) is not None


def strace(trace: Path) -> tuple[str, ...]:
    """The command that runs another one and writes its system calls down; the process started is the other one."""
    return ("strace", "-D", "-f", "-yy", "-s", "64", "-o", str(trace), "-e", f"trace={_CALLS}")


def read_trace(trace: Path) -> list[SystemCall]:
    """Every call that returned, in the order in which they began; waits for the trace's own end."""
    text = until(trace.read_text, lambda text: re.search(r"\+\+\+ (exited|killed)[^\n]*\n\Z", text) is not None)
    return sorted(_read(text.splitlines()), key=lambda call: call.began)


def _read(lines: Sequence[str]) -> Iterator[SystemCall]:
    unfinished: dict[str, tuple[int, str, str]] = {}
    for number, line in enumerate(lines):
        if resumed := _RESUMED.match(line):
            began, name, start = unfinished.pop(resumed["thread"])
            yield _call(name, start + resumed["rest"], began, number)
        elif match := _LINE.match(line):
            if match["rest"].endswith("<unfinished ...>"):
                unfinished[match["thread"]] = (number, match["name"], match["rest"])
            else:
                yield _call(match["name"], match["rest"], number, number)


def _call(name: str, rest: str, began: int, ended: int) -> SystemCall:
    file = _FILE.search(rest)
    return SystemCall(name, file["path"] if file else "", rest, began, ended)


def acknowledgements(calls: Sequence[SystemCall]) -> Iterator[tuple[SystemCall, SystemCall]]:
    """Every request that writes, as it was received, with the first byte of its 2xx.

    A client of the tests sends its next request only when the last one was answered, so on one socket they alternate.
    """
    received: dict[str, SystemCall] = {}
    for call in calls:
        if not call.file.startswith("TCP:"):
            continue
        if call.name in _RECEIVING and _WRITING.search(call.arguments):
            received[call.file] = call
        elif call.name in _SENDING and '"HTTP/1.1 ' in call.arguments:
            request = received.pop(call.file, None)
            if request is not None and '"HTTP/1.1 2' in call.arguments:
                yield request, call


def unsynced(calls: Sequence[SystemCall]) -> list[str]:
    """The acknowledged writes that a power cut could still have taken away.

    A write is safe when, after its request was received and before its answer began to leave, the write-ahead log was
    written and an fdatasync of it, begun after that, had returned without an error.
    """
    writes = [call for call in calls if call.name == "pwrite64" and call.file.endswith("-wal")]
    syncs = [call for call in calls if call.name == "fdatasync" and call.file.endswith("-wal") and not call.failed]
    found = []
    for request, answer in acknowledgements(calls):
        written = [call.ended for call in writes if request.ended < call.began and call.ended < answer.began]
        if not any(sync.began > min(written, default=answer.began) and sync.ended < answer.began for sync in syncs):
            found.append(request.arguments)
    return found
