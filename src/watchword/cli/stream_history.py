"""Channels of Stream Chat, as its export has them in JSON: each as its API answers one.

    {"channels": [{"channel": {"cid": "messaging:lunch", "name": "Lunch", "created_by": {"id": "ada"}},
      "members": [{"user_id": "ada", "user": {"id": "ada", "name": "Ada"}}],
      "messages": [{"id": "1", "type": "regular", "text": "At noon?", "user": {"id": "ada", "name": "Ada"},
                    "created_at": "2024-05-01T12:00:00.25Z"}]}]}

Source: "the same format as the regular APIs", says getstream.io/chat/docs of exports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from watchword.cli.history_rooms import Room, moment, unreadable
from watchword.client import HistoryParticipant, HistoryRecord

_SAID = ("regular", "reply", "deleted")


def read_stream(file: Path, exported: Any) -> list[Room]:
    """Each channel is a room.

    Raises:
        OperatorError: it is no such export.
    """
    channels = exported.get("channels", [exported]) if isinstance(exported, Mapping) else exported
    if not isinstance(channels, list) or not channels:
        raise unreadable(file, "is no export of Stream's channels")
    return [_room(file, each) for each in channels]


def _room(file: Path, state: Any) -> Room:
    if not isinstance(state, Mapping):
        raise unreadable(file, "is no export of Stream's channels")
    # What belongs to a channel stands beside it, or in it.
    inner = state.get("channel")
    channel: Mapping[str, Any] = inner if isinstance(inner, Mapping) else state
    key = channel.get("cid") or channel.get("id")
    if not key:
        raise unreadable(file, "has a channel without an id")
    room = Room(str(key), str(channel.get("name") or key), created_by=_user(channel.get("created_by")))
    for member in _list(state, channel, "members"):
        user = _user(member.get("user")) or member.get("user_id")
        if user:
            room.participants[str(user)] = HistoryParticipant(str(user), _name(member.get("user")))
    for message in _list(state, channel, "messages"):
        _add(room, message)
    return room.in_order()


def _add(room: Room, message: Mapping[str, Any]) -> None:
    sender, created = _user(message.get("user")) or message.get("user_id"), moment(message.get("created_at"))
    kind, deleted = str(message.get("type") or "regular"), moment(message.get("deleted_at"))
    if not sender or created is None or kind not in _SAID:
        room.left_out["unreadable" if kind in _SAID else kind] += 1
        return
    text = str(message.get("text") or "") or "\n".join(_attached(message))
    if kind == "deleted" and deleted is None:
        deleted = moment(message.get("updated_at")) or created
    if not text and deleted is None:
        room.left_out["empty"] += 1
        return
    room.records.append(
        HistoryRecord(
            sender=str(sender),
            sender_name=_name(message.get("user")),
            content="" if deleted else text,
            created=created,
            edited=moment(message.get("message_text_updated_at")),
            deleted=deleted,
        )
    )


def _attached(message: Mapping[str, Any]) -> Iterator[str]:
    """The names of attachments, or where they are."""
    for each in message.get("attachments") or ():
        if isinstance(each, Mapping):
            found = each.get("title") or each.get("fallback") or each.get("image_url") or each.get("asset_url")
            if found:
                yield str(found)


def _list(state: Mapping[str, Any], channel: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [each for each in state.get(name) or channel.get(name) or [] if isinstance(each, Mapping)]


def _user(user: object) -> str | None:
    return str(user["id"]) if isinstance(user, Mapping) and user.get("id") else None


def _name(user: object) -> str | None:
    return str(user["name"]) if isinstance(user, Mapping) and user.get("name") else None
