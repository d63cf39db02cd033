"""What each operation of chat answers to whom: a row for each, from which every cell of the matrix is worked out.

Source: chat.md sections 2.7, 3.3 to 3.5, 4.3, 4.4, 5.4 to 5.6 and 6; what is `Assumed:` there is so here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.chat.scenes import BACK, MEMBER, MEMBERSHIPS, NEVER, REMOVED
from tests.support.chat_users import identifier, participant
from watchword.identifiers import new_guid
from watchword.tokens import scopes
from watchword.wire import chat as wire
from watchword.wire import inbox, realtime, trusted, trusted_exports, trusted_imports, trusted_messages, trusted_sockets
from watchword.wire.operations import Operation

NOBODY = ("nobody", "expired token", "revoked token", "access key", "operator", "verifier")
"""Callers whom no operation of chat lets in, whoever they are otherwise."""

FOREIGN = "token of another resource"
OF_NO_USER = ("nobody", "access key", "operator", "verifier", FOREIGN)
"""They have no membership."""

CALLERS = (*scopes.ALL, *NOBODY, FOREIGN)
THREADS = ("alive", "deleted", "of another resource", "unknown")
MESSAGES = ("own", "another's", "system", "before history", "deleted", "unknown")
AFTER = ("after removal", "changed after removal")
"""What only somebody who was removed can be kept from."""

_OWNERS, _MEMBERS, _GUESTS = {"chat"}, {"chat", "chat.join"}, {"chat", "chat.join", "chat.join.limited"}


@dataclass(frozen=True)
class Place:
    """What a request is about: a thread by its path, a message by its id, whom to add and whom to remove."""

    thread: str
    message: str
    guest: str
    target: str


Ask = Callable[[Place], tuple[str, str, Any]]
"""From a place to a method, a target and a body."""


@dataclass(frozen=True)
class Row:
    """`success` is for whoever may, by kind of message in `messages` where it is about one.

    `is_for_removed`: who was removed may, too. `is_of_no_thread`: no thread is named, or none is looked at.
    `again`: of a thread that is deleted already, for those in it. `consumes`: a second call would not find the same.
    """

    ask: Ask
    scopes: set[str]
    success: int
    is_for_removed: bool = False
    is_of_no_thread: bool = False
    messages: Mapping[str, int] = field(default_factory=dict)
    again: int = 404
    consumes: bool = False
    version: str = "2025-03-15"

    def expected(self, caller: str, membership: str, thread: str, message: str) -> int:
        if caller in NOBODY:
            return 401
        if caller not in self.scopes and caller != FOREIGN:
            return 403
        if self.is_of_no_thread:
            return self.success
        if caller == FOREIGN or thread in ("of another resource", "unknown"):
            return 404
        is_present = membership in (MEMBER, BACK)
        if thread == "deleted":
            # Whoever may not delete it is told so, deleted or not.
            return self.again if is_present or self.again == 404 else 403
        if not is_present and not (self.is_for_removed and membership == REMOVED):
            return 403
        return self.messages[message] if self.messages else self.success

    def cells(self) -> Iterator[tuple[str, str, str, str]]:
        """Every combination that there can be: (caller, membership, thread, message)."""
        for caller in CALLERS:
            for membership in (NEVER,) if caller in OF_NO_USER else MEMBERSHIPS:
                for thread in self._threads(caller):
                    for message in self._kinds(membership, thread):
                        yield caller, membership, thread, message

    def _threads(self, caller: str) -> tuple[str, ...]:
        if self.is_of_no_thread:
            return ("alive",)
        # There the foreign caller is at home.
        return tuple(each for each in THREADS if caller != FOREIGN or each != "of another resource")

    def _kinds(self, membership: str, thread: str) -> tuple[str, ...]:
        if not self.messages or thread not in ("alive", "deleted"):
            return ("another's",)
        if membership == NEVER:
            return MESSAGES[1:]
        return (*MESSAGES, *AFTER) if membership == REMOVED else MESSAGES


def _of(method: str, part: str, body: Callable[[Place], Any] = lambda place: None) -> Ask:
    return lambda place: (method, f"{place.thread}{part}".replace("{message}", place.message), body(place))


def _image(ask: Ask) -> Row:
    """Refused in the versions that have it, whatever the thread."""
    return Row(ask, _GUESTS, 501, is_of_no_thread=True, version="2024-06-05-preview")


_UNSEEN = dict.fromkeys(("before history", "unknown", *AFTER), 404)
_CHANGE = {"own": 204, "another's": 403, "system": 403, **_UNSEEN}
_SEEN = dict.fromkeys(("own", "another's", "system", "deleted"), 200) | _UNSEEN

ROWS: Mapping[Operation, Row] = {
    wire.CREATE_THREAD: Row(
        lambda place: ("POST", "/chat/threads", {"topic": "t", "participants": [participant(place.guest)]}),
        _OWNERS, 201, is_of_no_thread=True,
    ),
    wire.LIST_THREADS: Row(lambda _: ("GET", "/chat/threads", None), _GUESTS, 200, is_of_no_thread=True),
    wire.GET_THREAD: Row(_of("GET", ""), _GUESTS, 200, is_for_removed=True),
    wire.UPDATE_THREAD: Row(
        _of("PATCH", "", lambda _: {"topic": "t", "metadata": {"k": "v"}, "retentionPolicy": {"kind": "none"}}),
        _OWNERS, 204,
    ),
    wire.DELETE_THREAD: Row(_of("DELETE", ""), _OWNERS, 204, again=204, consumes=True),
    wire.LIST_PARTICIPANTS: Row(_of("GET", "/participants"), _GUESTS, 200),
    wire.ADD_PARTICIPANTS: Row(
        _of("POST", "/participants/:add", lambda place: {"participants": [participant(place.guest)]}), _MEMBERS, 201
    ),
    wire.REMOVE_PARTICIPANT: Row(
        _of("POST", "/participants/:remove", lambda place: identifier(place.target)), _MEMBERS, 204, consumes=True
    ),
    wire.SEND_MESSAGE: Row(_of("POST", "/messages", lambda _: {"content": "c"}), _GUESTS, 201),
    wire.LIST_MESSAGES: Row(_of("GET", "/messages"), _GUESTS, 200, is_for_removed=True),
    wire.GET_MESSAGE: Row(_of("GET", "/messages/{message}"), _GUESTS, 200, is_for_removed=True, messages=_SEEN),
    wire.UPDATE_MESSAGE: Row(
        _of("PATCH", "/messages/{message}", lambda _: {"content": "c"}),
        _GUESTS, 204, messages=_CHANGE | {"deleted": 404},
    ),
    wire.DELETE_MESSAGE: Row(
        _of("DELETE", "/messages/{message}"), _GUESTS, 204, messages=_CHANGE | {"deleted": 204}, consumes=True
    ),
    wire.LIST_RECEIPTS: Row(_of("GET", "/readReceipts"), _GUESTS, 200, is_for_removed=True),
    wire.SEND_RECEIPT: Row(
        _of("POST", "/readReceipts", lambda place: {"chatMessageId": place.message}), _GUESTS, 200, messages=_SEEN
    ),
    wire.SEND_TYPING: Row(_of("POST", "/typing", lambda _: {"senderDisplayName": "n"}), _GUESTS, 200),
    wire.UPLOAD_IMAGE: _image(_of("POST", "/images")),
    wire.GET_IMAGE: _image(_of("GET", "/images/1/view/original")),
    wire.DELETE_IMAGE: _image(_of("DELETE", "/images/1")),
    inbox.LIST_INBOX: Row(lambda _: ("GET", "/chat/inbox", None), _GUESTS, 200, is_of_no_thread=True),
    realtime.CONFIG: Row(
        lambda _: ("GET", "/chat/config/realTimeNotifications", None),
        _GUESTS, 200, is_of_no_thread=True, version=realtime.CONFIG_VERSION,
    ),
}  # fmt: skip

MANAGING = ("access key", "Entra role")
"""Callers whom every operation of the trusted server lets in, whatever they take part in."""

FOREIGN_KEY = "access key of another resource"
NOT_MANAGING = {
    **dict.fromkeys(("nobody", "operator", "Entra token without a role", "expired token", "revoked token"), 401),
    **dict.fromkeys(scopes.ALL, 401),
    "verifier": 403,
}
"""What all others are answered with, a user by scope, though a member."""


@dataclass(frozen=True)
class TrustedRow:
    """`success` is for whoever manages the resource, once `before` was asked; where a row `names_user`, one of
    this resource. The rest is as of `Row`.
    """

    ask: Ask
    success: int
    before: Ask | None = None
    is_of_no_thread: bool = False
    names_user: bool = False
    consumes: bool = False

    def expected(self, caller: str, thread: str) -> int:
        if caller in NOT_MANAGING:
            return NOT_MANAGING[caller]
        if self.is_of_no_thread:
            return 404 if self.names_user and caller == FOREIGN_KEY else self.success
        # Whoever manages another resource finds none of this one's threads.
        return self.success if thread == "alive" and caller in MANAGING else 404

    def cells(self) -> Iterator[tuple[str, str]]:
        """Every combination that there can be: (caller, thread)."""
        for caller in (*MANAGING, FOREIGN_KEY, *NOT_MANAGING):
            for thread in ("alive",) if self.is_of_no_thread else THREADS:
                # The foreign caller is at home there.
                if caller != FOREIGN_KEY or thread != "of another resource":
                    yield caller, thread


def _trusted(method: str, part: str, body: Callable[[Place], Any] = lambda place: None) -> Ask:
    """The same of a thread for the trusted server, by the path that users know it by."""
    ask = _of(method, part, body)

    def asked(place: Place) -> tuple[str, str, Any]:
        method, path, body = ask(place)
        return method, path.replace("/chat/", "/trusted/", 1).replace("{target}", place.target), body

    return asked


def _of_no_import(method: str, part: str, body: Any = None) -> TrustedRow:
    """Whoever may is told that there is none."""
    return TrustedRow(lambda _: (method, f"/trusted/imports/none{part}", body), 404, is_of_no_thread=True)


def _of_target(method: str, body: Any = None) -> Ask:
    return lambda place: (method, f"/trusted/restrictions/{place.target}", body)


def _of_user(method: str, success: int, part: str = "") -> TrustedRow:
    return TrustedRow(
        lambda place: (method, f"/trusted/users/{place.target}/sockets{part}", None),
        success,
        is_of_no_thread=True,
        names_user=True,
    )


_mute = _of_target("PUT", {"kind": "mute"})
_ban = _trusted("PUT", "/restrictions/{target}", lambda _: {"kind": "ban"})

TRUSTED_ROWS: Mapping[Operation, TrustedRow] = {
    trusted.LIST_THREADS: TrustedRow(lambda _: ("GET", "/trusted/threads", None), 200, is_of_no_thread=True),
    trusted.GET_THREAD: TrustedRow(_trusted("GET", ""), 200),
    trusted.UPDATE_THREAD: TrustedRow(_trusted("PATCH", "", lambda _: {"topic": "t", "frozen": False}), 204),
    trusted.DELETE_THREAD: TrustedRow(_trusted("DELETE", ""), 204, consumes=True),
    trusted.LIST_PARTICIPANTS: TrustedRow(_trusted("GET", "/participants?former=true"), 200),
    trusted.ADD_PARTICIPANTS: TrustedRow(
        _trusted("POST", "/participants/:add", lambda place: {"participants": [{"user": place.guest}]}), 201
    ),
    trusted.REMOVE_PARTICIPANT: TrustedRow(
        _trusted("POST", "/participants/:remove", lambda place: {"user": place.target}), 204, consumes=True
    ),
    trusted_exports.EXPORT_THREAD: TrustedRow(_trusted("GET", "/export"), 200),
    trusted_exports.EXPORT_USER: TrustedRow(
        lambda place: ("GET", f"/trusted/users/{place.guest}/export", None), 200, is_of_no_thread=True
    ),
    trusted_messages.LIST_MESSAGES: TrustedRow(_trusted("GET", "/messages?order=asc"), 200),
    trusted_messages.GET_MESSAGE: TrustedRow(_trusted("GET", "/messages/{message}"), 200),
    trusted_messages.SEND_MESSAGE: TrustedRow(
        _trusted("POST", "/messages", lambda _: {"content": "c", "senderDisplayName": "n"}), 201
    ),
    trusted_messages.DELETE_MESSAGE: TrustedRow(_trusted("DELETE", "/messages/{message}"), 204),
    trusted_messages.REDACT_MESSAGE: TrustedRow(_trusted("POST", "/messages/{message}/:redact"), 204),
    trusted_imports.BEGIN_IMPORT: TrustedRow(
        lambda _: ("PUT", f"/trusted/imports/{new_guid()}", {"topic": "t"}), 201, is_of_no_thread=True
    ),
    trusted_imports.GET_IMPORT: _of_no_import("GET", ""),
    trusted_imports.ADD_RECORDS: _of_no_import("POST", "/:records", {"after": 0, "records": []}),
    trusted_imports.FINISH_IMPORT: _of_no_import("POST", "/:finish", {"participants": []}),
    trusted_imports.GIVE_IMPORT_UP: _of_no_import("DELETE", ""),
    trusted.LIST_RESTRICTIONS: TrustedRow(lambda _: ("GET", "/trusted/restrictions", None), 200, is_of_no_thread=True),
    trusted.PUT_RESTRICTION: TrustedRow(_mute, 200, is_of_no_thread=True, names_user=True),
    trusted.GET_RESTRICTION: TrustedRow(_of_target("GET"), 200, _mute, is_of_no_thread=True, names_user=True),
    trusted.DELETE_RESTRICTION: TrustedRow(_of_target("DELETE"), 204, _mute, is_of_no_thread=True, names_user=True),
    trusted.LIST_THREAD_RESTRICTIONS: TrustedRow(_trusted("GET", "/restrictions"), 200),
    trusted.PUT_THREAD_RESTRICTION: TrustedRow(_ban, 200),
    trusted.GET_THREAD_RESTRICTION: TrustedRow(_trusted("GET", "/restrictions/{target}"), 200, _ban),
    trusted.DELETE_THREAD_RESTRICTION: TrustedRow(_trusted("DELETE", "/restrictions/{target}"), 204, _ban),
    trusted_sockets.LIST_SOCKETS: _of_user("GET", 200),
    trusted_sockets.CLOSE_SOCKETS: _of_user("DELETE", 204),
    trusted_sockets.CLOSE_SOCKET: _of_user("DELETE", 204, "/some"),
}
