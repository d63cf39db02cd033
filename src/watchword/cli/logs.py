"""What a server writes to standard error: a line for each request, and what its libraries have to say.

json   {"time":"2026-11-21T01:14:27.123456+00:00","requestId":"...","method":"POST", ...}      the line as it is
text   POST /identities/{id}/:issueAccessToken 401 Denied: Denied by the resource provider. ...
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from typing import TextIO

import msgspec

from watchword.settings import Settings

_WRITTEN_WHOLE_BYTES = 4_096
"""PIPE_BUF, as Linux has it; POSIX promises 512, and others are in between."""


def set_up_logs(settings: Settings, *, for_people: bool) -> None:
    """`for_people` says what `auto` means where standard error is a terminal."""
    general = logging.StreamHandler(sys.stderr)
    general.setFormatter(logging.Formatter("watchword: %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[general])
    requests = logging.getLogger("watchword.requests")
    requests.propagate = False
    if not settings.request_log:
        requests.setLevel(logging.CRITICAL)
        return
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and for_people and sys.stderr.isatty())
    lines = _WholeLines(sys.stderr) if settings.workers > 1 else logging.StreamHandler(sys.stderr)
    lines.setFormatter(_TextLine() if as_text else logging.Formatter("%(message)s"))
    requests.addHandler(lines)
    requests.setLevel(logging.INFO)


class _WholeLines(logging.StreamHandler[TextIO]):
    """For a pipe or a file that several processes write to: a pipe keeps only so many bytes of one write together."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            for piece in pieces(self.format(record)):
                self.stream.write(piece)
                self.flush()
        except Exception:  # noqa: BLE001 - as every handler does: what cannot be logged must not end a request.
            self.handleError(record)


def pieces(text: str) -> Iterator[str]:
    """The lines of a text, ended and joined to as many bytes as a write leaves together; a longer line stays alone."""
    waiting, size = "", 0
    for line in text.split("\n"):
        length = len(line.encode()) + 1
        if waiting and size + length > _WRITTEN_WHOLE_BYTES:
            yield waiting
            waiting, size = "", 0
        waiting += f"{line}\n"
        size += length
    yield waiting


class _TextLine(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        # A record holds the lines of a tick.
        return "\n".join(_text(line) for line in record.getMessage().split("\n"))


def _text(line: str) -> str:
    entry = msgspec.json.decode(line)
    text = f"{entry['method']} {entry['path']} {entry['status']}"
    if "ignored" in entry:
        text += f" (ignored: {', '.join(entry['ignored'])})"
    return f"{text} {entry['code']}: {entry.get('reason', '')}" if "code" in entry else text
