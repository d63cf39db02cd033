"""The trace that a caller says its request belongs to.

    traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01

Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?")


def find_trace_id(headers: Mapping[str, str]) -> str | None:
    """The trace's id, 32 hexadecimal digits; None where there is none, or nothing that could be one."""
    sent = headers.get("traceparent")
    found = _TRACEPARENT.fullmatch(sent) if sent else None
    # Of version 00 nothing may follow; of those to come it may.
    return found[1] if found is not None and (len(found[0]) == 55 or found[0][:2] != "00") else None
