"""What a server writes to standard error: a line for each request, and what its libraries have to say.

json   {"time":"2026-11-21T01:14:27.123456+00:00","requestId":"...","method":"POST", ...}      the line as it is
text   POST /identities/{id}/:issueAccessToken 401 Denied: Denied by the resource provider. ...
"""

from __future__ import annotations

import logging
import sys

import msgspec

from watchword.server.log_writer import LogHandler, LogWriter
from watchword.settings import Settings


def set_up_logs(settings: Settings, *, for_people: bool) -> None:
    """`for_people` says what `auto` means where standard error is a terminal."""
    writer = LogWriter(sys.stderr.fileno())
    general = LogHandler(writer)
    general.setFormatter(logging.Formatter("watchword: %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[general])
    requests = logging.getLogger("watchword.requests")
    requests.propagate = False
    if not settings.request_log:
        requests.setLevel(logging.CRITICAL)
        return
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and for_people and sys.stderr.isatty())
    lines = LogHandler(writer)
    lines.setFormatter(_TextLine() if as_text else logging.Formatter("%(message)s"))
    requests.addHandler(lines)
    requests.setLevel(logging.INFO)


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
