"""What a server writes to standard error: a line for each request, and what its libraries have to say.

json   {"time":"2026-11-21T01:14:27.123456+00:00","requestId":"...","method":"POST", ...}      the line as it is
       {"time":"2026-11-21T01:14:28.5+00:00","level":"ERROR","logger":"watchword.storage","message":"..."}   of the rest
text   POST /identities/{id}/:issueAccessToken 401 Denied: Denied by the resource provider. ...
       watchword: ERROR: ...
"""

from __future__ import annotations

import logging
import sys

import msgspec

from watchword.clock import SystemClock
from watchword.server.log_writer import LogHandler, LogWriter
from watchword.settings import Settings
from watchword.wire.times import format_time


def set_up_logs(settings: Settings, *, for_people: bool) -> None:
    """`for_people` says what `auto` means where standard error is a terminal. One form holds for every line."""
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and for_people and sys.stderr.isatty())
    writer = LogWriter(sys.stderr.fileno()) if as_text else LogWriter(sys.stderr.fileno(), word_dropped=_json_warning)
    general = LogHandler(writer)
    general.setFormatter(logging.Formatter("watchword: %(levelname)s: %(message)s") if as_text else _JsonLine())
    logging.basicConfig(level=logging.WARNING, handlers=[general])
    requests = logging.getLogger("watchword.requests")
    requests.propagate = False
    if not settings.request_log:
        requests.setLevel(logging.CRITICAL)
        return
    lines = LogHandler(writer)
    lines.setFormatter(_TextLine() if as_text else logging.Formatter("%(message)s"))
    requests.addHandler(lines)
    requests.setLevel(logging.INFO)


class _JsonLine(logging.Formatter):
    """Writes what is no request as JSON too; of a fault also where it happened."""

    def format(self, record: logging.LogRecord) -> str:
        fault = self.formatException(record.exc_info) if record.exc_info else None
        return _json(record.levelname, record.name, record.getMessage(), fault=fault)


def _json_warning(message: str) -> str:
    return _json("WARNING", __name__, message)


def _json(level: str, logger: str, message: str, *, fault: str | None = None) -> str:
    entry = {"time": format_time(SystemClock().micros()), "level": level, "logger": logger, "message": message}
    return msgspec.json.encode(entry if fault is None else entry | {"fault": fault}).decode()


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
