"""What every line of a log is."""

from __future__ import annotations

import msgspec


class Event(msgspec.Struct, array_like=True, frozen=True, tag=True, tag_field="type"):
    pass
