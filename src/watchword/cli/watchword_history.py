"""Threads as a Watchword exports them in JSON lines: one for the thread, one for each participant and each message.

    {"kind": "thread", "id": "19:...@thread.v2", "topic": "Lunch", "createdBy": "8:acs:..."}
    {"kind": "participant", "user": "8:acs:...", "displayName": "Ada", "shareHistoryTime": "1970-01-01T00:00:00.000Z"}
    {"kind": "message", "type": "text", "sender": "8:acs:...", "senderDisplayName": "Ada", "content": "At noon?",
     "createdOn": "2024-05-01T12:00:00.250Z"}

A line that says no `thread` is of the thread before it. What the system said, receipts, clients, and what mutes or bans
somebody are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from watchword.cli.history_rooms import Room, moment, unreadable
from watchword.client import HistoryParticipant, HistoryRecord

_BROUGHT = ("thread", "participant", "message")
_SAID = ("text", "html")


def read_watchword(file: Path, content: bytes) -> list[Room]:
    """Each thread is a room.

    Raises:
        OperatorError: a line is none of these.
    """
    rooms: dict[str, Room] = {}
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            read = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            read = None
        if not isinstance(read, Mapping):
            raise unreadable(file, f"has no JSON object in line {number}")
        _see(rooms, read)
    return [each.in_order() for each in rooms.values()]


def _see(rooms: dict[str, Room], line: Mapping[str, Any]) -> None:
    what = line.get("kind", "message")
    last = next(reversed(rooms), "thread")
    key = str(line.get("id") if what == "thread" else line.get("thread") or last)
    if what not in _BROUGHT:
        # It makes no room of its own: whoever exports a user finds where they are muted, were they ever there or not.
        room = rooms.get(key) or rooms.get(last)
        if room is not None:
            room.left_out[str(what)] += 1
        return
    room = rooms.setdefault(key, Room(key, "Thread"))
    if what == "thread":
        room.topic = str(line.get("topic") or room.topic)
        room.created_by = str(line["createdBy"]) if line.get("createdBy") else None
    elif what == "participant" and not line.get("removedOn"):
        since, name = moment(line.get("shareHistoryTime")), line.get("displayName")
        id = str(line.get("user"))
        room.participants[id] = HistoryParticipant(id, None if name is None else str(name), since)
    elif what == "message":
        _add(room, line)


def _add(room: Room, line: Mapping[str, Any]) -> None:
    created, kind = moment(line.get("createdOn")), line.get("type") or "text"
    if created is None or not line.get("sender") or kind not in _SAID:
        room.left_out["unreadable" if kind in _SAID else str(kind)] += 1
        return
    name, metadata = line.get("senderDisplayName"), line.get("metadata")
    room.records.append(
        HistoryRecord(
            sender=str(line["sender"]),
            sender_name=None if name is None else str(name),
            content=str(line.get("content") or ""),
            type="html" if kind == "html" else "text",
            created=created,
            edited=moment(line.get("editedOn")) if line.get("editedOn") else None,
            deleted=moment(line.get("deletedOn")) if line.get("deletedOn") else None,
            metadata=metadata if isinstance(metadata, Mapping) else None,
        )
    )
