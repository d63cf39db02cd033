"""A room of Matrix, as Element exports it in JSON: its events, the oldest first.

    {"room_name": "Lunch", "topic": "", "messages": [{"type": "m.room.message", "sender": "@ada:matrix.org",
     "origin_server_ts": 1714564800250, "event_id": "$1", "content": {"msgtype": "m.text", "body": "At noon?"}}, ...]}

Source: `JSONExport.ts` of Element, and the client-server API of Matrix for the events.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from watchword.cli.history_rooms import Room, moment, unreadable
from watchword.client import HistoryParticipant, HistoryRecord

_TEXTS = ("m.text", "m.notice", "m.emote")
_MEDIA = ("m.image", "m.file", "m.audio", "m.video", "m.location")
_HTML = "org.matrix.custom.html"
_QUOTED = re.compile(r"<mx-reply>.*?</mx-reply>", re.DOTALL)


def read_matrix(file: Path, exported: Any) -> list[Room]:
    """The one room.

    Raises:
        OperatorError: it is no such export.
    """
    if not isinstance(exported, Mapping) or not isinstance(exported.get("messages"), list):
        raise unreadable(file, "is no export of a Matrix room")
    room = Room("room", str(exported.get("room_name") or exported.get("topic") or "Matrix room"))
    places: dict[str, int] = {}
    names: dict[str, str] = {}
    for event in exported["messages"]:
        if not isinstance(event, Mapping) or not isinstance(event.get("content"), Mapping):
            room.left_out["unreadable"] += 1
        elif event.get("type") == "m.room.member":
            _see_member(room, event, names)
        elif event.get("type") == "m.room.message" or "redacted_because" in _unsigned(event):
            _add(room, event, places, names=names)
        else:
            room.left_out[str(event.get("type"))] += 1
    for sender in {each.sender for each in room.records} - room.participants.keys() - names.keys():
        room.participants[sender] = HistoryParticipant(sender)
    return [room.in_order()]


def _see_member(room: Room, event: Mapping[str, Any], names: dict[str, str]) -> None:
    """Who joined last and did not leave takes part."""
    user = str(event.get("state_key") or event.get("sender"))
    name = event["content"].get("displayname")
    names[user] = str(name or names.get(user, ""))
    if event["content"].get("membership") == "join":
        room.participants[user] = HistoryParticipant(user, names[user] or None)
    else:
        room.participants.pop(user, None)


def _add(room: Room, event: Mapping[str, Any], places: dict[str, int], *, names: Mapping[str, str]) -> None:
    sender, created = event.get("sender"), moment(event.get("origin_server_ts"))
    if not isinstance(sender, str) or created is None:
        room.left_out["unreadable"] += 1
        return
    content = event["content"]
    relation = content.get("m.relates_to") or {}
    if relation.get("rel_type") == "m.replace":
        place = places.get(str(relation.get("event_id")))
        new = _said(content.get("m.new_content") or content)
        if place is not None and new is not None and room.records[place].sender == sender:
            old = room.records[place]
            room.records[place] = replace(old, content=new[0], type=new[1], edited=max(created, old.created))
        return
    said = _said(content)
    plain = HistoryRecord(sender=sender, sender_name=names.get(sender) or None, content="", created=created)
    if (because := _unsigned(event).get("redacted_because")) is not None:
        deleted = moment(because.get("origin_server_ts")) if isinstance(because, Mapping) else None
        record = replace(plain, deleted=max(deleted or created, created))
    elif said is not None:
        changed = ((_unsigned(event).get("m.relations") or {}).get("m.replace") or {}).get("origin_server_ts")
        edited = None if changed is None else moment(changed)
        record = replace(plain, content=said[0], type=said[1], edited=edited)
    else:
        room.left_out[str(content.get("msgtype"))] += 1
        return
    places[str(event.get("event_id"))] = len(room.records)
    room.records.append(record)


def _said(content: Mapping[str, Any]) -> tuple[str, Literal["text", "html"]] | None:
    """The text and its type; of media the name of the file."""
    body = str(content.get("body") or "")
    if content.get("msgtype") not in (*_TEXTS, *_MEDIA) or not body:
        return None
    if content.get("format") == _HTML and content.get("formatted_body"):
        return _QUOTED.sub("", str(content["formatted_body"])) or body, "html"
    return (f"* {body}" if content["msgtype"] == "m.emote" else body), "text"


def _unsigned(event: Mapping[str, Any]) -> Mapping[str, Any]:
    found = event.get("unsigned")
    return found if isinstance(found, Mapping) else {}
