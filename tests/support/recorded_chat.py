"""What a recorded exchange of chat was about, brought about anew, so that the same request has the same answer.

The answer tells the situation: who was in the thread, what was said, edited and deleted. Users of the recording are
users of ours, one for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.chat_users import ChatUser, identifier, new_user, participant
from tests.support.signed import Reply, SignedClient

Recorded = dict[str, Any]

_PATH = re.compile(r"/chat/threads(?:/(?P<thread>[^/]+))?(?:/(?P<of>\w+))?(?:/(?P<id>[\w:]+))?")
_SENT = ("accept", "content-type", "user-agent", "x-ms-useragent", "x-ms-client-request-id", "origin")
_PAGE_OF_THREADS = 100


def version_of(exchange: Recorded) -> str:
    """Older previews are replayed as 2021-03-07: chat.md section 1."""
    version: str = exchange["path"].rpartition("api-version=")[2]
    return max(version, "2021-03-07")


@dataclass
class Scene:
    """`users` are ours by the id of the recording."""

    client: SignedClient
    exchanges: list[Recorded]
    users: dict[str, ChatUser] = field(default_factory=dict)
    _many: ChatUser | None = None

    def user(self, recorded: str) -> ChatUser:
        if recorded == "sanitized":
            # One name stands for all of them.
            recorded = f"sanitized {len(self.users)}"
        if recorded not in self.users:
            self.users[recorded] = new_user(self.client)
        return self.users[recorded]

    def recorded_id(self, ours: str) -> str:
        found = {user.id: recorded for recorded, user in self.users.items()}
        return found.get(ours, ours).partition(" ")[0]

    def replay(self, exchange: Recorded) -> Reply:
        """The answer to the recorded request, in a situation like that of the recording."""
        self.users = {}
        path, _, _ = exchange["path"].partition("?")
        parts = _PATH.fullmatch(path.replace("%3A", ":").replace("%40", "@"))
        assert parts is not None, path
        return self._replay(exchange, parts.groupdict())

    def _replay(self, exchange: Recorded, parts: Mapping[str, str | None]) -> Reply:
        thread, of, id = parts["thread"], parts["of"], parts["id"]
        if thread is None:
            return self._list_threads(exchange) if exchange["method"] == "GET" else self._create_thread(exchange)
        if of is None:
            return self._one_thread(exchange, thread)
        if of == "messages" and id is not None:
            return self._one_message(exchange, id)
        if exchange["method"] == "GET":
            lists = {"messages": self._list_messages, "participants": self._list_participants}
            return lists.get(of, self._list_receipts)(exchange)
        return self._tell_thread(exchange, of, id or "")

    def _tell_thread(self, exchange: Recorded, of: str, verb: str) -> Reply:
        me, other, body = self.user("me"), self.user("other"), exchange["request_body"]
        path = me.new_thread(other)
        if of == "participants":
            return self._change_participants(exchange, me, path, verb)
        if of == "readReceipts":
            read = "0000000000001" if exchange["status"] == 404 else other.send(path)
            body = {"chatMessageId": read}
        return self.ask(me, exchange, f"{path}/{of}", body or ({"content": "Content"} if of == "messages" else None))

    def ask(self, user: ChatUser, exchange: Recorded, target: str, body: Any = None) -> Reply:
        return user.ask(exchange["method"], target, body, version=version_of(exchange), headers=_headers(exchange))

    # -- Threads.

    def _create_thread(self, exchange: Recorded) -> Reply:
        recorded, sent = exchange["response_body"], exchange["request_body"]
        if exchange["status"] == 400:
            entry = participant("8:acs:invalidUserId")
            return self.ask(self.user("me"), exchange, "/chat/threads", {"topic": "Test", "participants": [entry]})
        thread = recorded["chatThread"]
        me = self.user(thread["createdByCommunicationIdentifier"]["rawId"])
        body = self._ours(sent) if sent else {"topic": thread["topic"]}
        return self.ask(me, exchange, "/chat/threads", body)

    def _one_thread(self, exchange: Recorded, thread_id: str) -> Reply:
        me = self.user("me")
        if exchange["status"] in (400, 404):
            return self.ask(me, exchange, f"/chat/threads/{thread_id}")
        recorded = exchange["response_body"] or {"topic": "Test"}
        if "createdByCommunicationIdentifier" in recorded:
            me = self.user(recorded["createdByCommunicationIdentifier"]["rawId"])
        named = ("metadata", "retentionPolicy")
        thread = me.new_thread(topic=recorded["topic"], **{name: recorded[name] for name in named if name in recorded})
        sent = exchange["request_body"]
        is_change = exchange["method"] == "PATCH"
        return self.ask(me, exchange, thread, (sent or {"topic": "Update Test"}) if is_change else None)

    def _list_threads(self, exchange: Recorded) -> Reply:
        page = exchange["response_body"] or {"value": []}
        query = dict(part.split("=", 1) for part in exchange["path"].partition("?")[2].split("&"))
        size = int(query.get("maxPageSize", _PAGE_OF_THREADS))
        is_later, is_cut = "syncState" in query, len(page["value"]) < size and "nextLink" in page
        if is_cut or (is_later and size == _PAGE_OF_THREADS):
            return self._many_threads(exchange, is_later=is_later, is_last="nextLink" not in page)
        me = self.user("me")
        before = [{"topic": "before"}] * size if is_later else []
        after = [{"topic": "after"}] if "nextLink" in page else []
        for item in reversed([*before, *page["value"], *after]):
            thread = me.new_thread(topic=item["topic"])
            if "deletedOn" in item:
                assert me.ask("DELETE", thread).status == 204
        sized = f"?maxPageSize={size}" if "maxPageSize" in query else ""
        return self._page(exchange, me, f"/chat/threads{sized}", 1 if is_later else 0)

    def _many_threads(self, exchange: Recorded, *, is_later: bool, is_last: bool) -> Reply:
        """The threads of a user with three pages of the usual size, who is made once."""
        if self._many is None:
            self._many = new_user(self.client)
            for _ in range(2 * _PAGE_OF_THREADS + 10):
                self._many.new_thread(topic="Test")
        return self._page(exchange, self._many, "/chat/threads", 2 if is_last else int(is_later))

    def _page(self, exchange: Recorded, user: ChatUser, target: str, turn: int) -> Reply:
        """That page of a list: the first one, or that which nextLinks lead to."""
        reply = self.ask(user, exchange, target)
        for _ in range(turn):
            link: str = reply.json["nextLink"]
            reply = user.ask("GET", link[link.index("/chat/") :], version=None, headers=_headers(exchange))
        return reply

    # -- Participants and receipts.

    def _change_participants(self, exchange: Recorded, me: ChatUser, thread: str, verb: str) -> Reply:
        sent = exchange["request_body"]
        id = "8:acs:invalidUserId" if exchange["status"] == 400 else self.user("other").id
        if verb == ":remove":
            return self.ask(me, exchange, f"{thread}/participants/:remove", identifier(id))
        entry = participant(id if exchange["status"] == 400 else self.user("new").id)
        body = self._ours(sent) if sent else {"participants": [entry]}
        return self.ask(me, exchange, f"{thread}/participants/:add", body)

    def _list_participants(self, exchange: Recorded) -> Reply:
        page = exchange["response_body"]
        query = exchange["path"].partition("?")[2]
        later = "skip=2" in query
        before = [participant(self.user(f"before {at}").id) for at in range(2 if later else 0)]
        entries = [*before, *(self._ours(each) for each in page["value"])]
        if "nextLink" in page:
            entries.append(participant(self.user("after").id))
        first = entries[0]["communicationIdentifier"]["rawId"]
        [me] = (user for user in self.users.values() if user.id == first)
        made = me.ask("POST", "/chat/threads", {"topic": "Test", "participants": entries})
        assert made.status == 201
        sized = re.sub(r"&?api-version=.*", "", query)
        return self.ask(me, exchange, f"/chat/threads/{made.json['chatThread']['id']}/participants?{sized}")

    def _list_receipts(self, exchange: Recorded) -> Reply:
        readers = [
            self.user(each["senderCommunicationIdentifier"]["rawId"]) for each in exchange["response_body"]["value"]
        ]
        me = readers[0]
        thread = me.new_thread(*readers[1:])
        for each in readers:
            read = me.send(thread)
            assert each.ask("POST", f"{thread}/readReceipts", {"chatMessageId": read}).status == 200
        sized = re.sub(r"&?api-version=.*", "", exchange["path"].partition("?")[2])
        return self.ask(me, exchange, f"{thread}/readReceipts?{sized}")

    # -- Messages.

    def _one_message(self, exchange: Recorded, message: str) -> Reply:
        recorded = exchange["response_body"]
        if exchange["status"] == 200:
            me, thread, ids = self._talk(exchange, [recorded])
            return self.ask(me, exchange, f"{thread}/messages/{ids[int(recorded['sequenceId'])]}")
        me = self.user("me")
        thread = me.new_thread(self.user("other"))
        id = message if exchange["status"] == 400 else me.send(thread)
        body = exchange["request_body"] or {"content": "Update Test"}
        return self.ask(me, exchange, f"{thread}/messages/{id}", body if exchange["method"] == "PATCH" else None)

    def _list_messages(self, exchange: Recorded) -> Reply:
        items = exchange["response_body"]["value"]
        query = exchange["path"].partition("?")[2]
        me, thread, ids = self._talk(exchange, items)
        is_later = "syncState" in query
        sized = re.sub(r"&?(api-version|syncState)=[^&]*|&?startTime=1%2F[^&]*", "", query).strip("&")
        if is_later:
            # A page goes before; every thread begins with two messages, so one may be there already.
            there = max(ids) - int(items[0]["sequenceId"])
            for _ in range(int(sized.removeprefix("maxPageSize=")) - there):
                me.send(thread)
        return self._page(exchange, me, f"{thread}/messages?{sized}", int(is_later))

    def _talk(self, exchange: Recorded, items: list[Recorded]) -> tuple[ChatUser, str, dict[int, str]]:
        """A thread in which all that was said; who made it, its path, and the ids of its messages by sequence.

        Others of its recorded exchanges tell what was said before; what none tells is filled in.
        """
        said = self._said(exchange)
        first, named = said.get(1), said.get(2, {"content": {"topic": "Test"}})
        entries = [self._ours(each) for each in first["content"]["participants"]] if first else []
        maker = (
            first["content"]["initiatorCommunicationIdentifier"] if first else items[0]["senderCommunicationIdentifier"]
        )
        me = self.user(maker["rawId"])
        body = {"topic": named["content"]["topic"], "participants": entries}
        made = me.ask("POST", "/chat/threads", body)
        assert made.status == 201, made
        thread = f"/chat/threads/{made.json['chatThread']['id']}"
        listed = me.ask("GET", f"{thread}/messages").json["value"]
        ids = {int(each["sequenceId"]): str(each["id"]) for each in listed}
        changes = [each for each in items if each["id"] != each["version"]]
        changed = sorted(changes, key=lambda item: int(item["version"]))
        for sequence in range(3, max(int(each["sequenceId"]) for each in items) + 1):
            item = said.get(sequence)
            while item is not None and changed and int(changed[0]["version"]) < int(item["id"]):
                self._change(thread, ids, changed.pop(0))
            ids[sequence] = self._say(me, thread, item)
        for each in changed:
            self._change(thread, ids, each)
        return me, thread, ids

    def _said(self, exchange: Recorded) -> dict[int, Recorded]:
        """By sequence, what any recorded exchange tells of a thread, as it was said at first where one tells that."""
        found: dict[int, Recorded] = {}
        for each in self.exchanges:
            if _thread_of(each) == _thread_of(exchange) and isinstance(body := each["response_body"], dict):
                for item in body.get("value", [body]):
                    if "sequenceId" in item and (item["id"] == item["version"] or int(item["sequenceId"]) not in found):
                        found[int(item["sequenceId"])] = item
        return found

    def _say(self, me: ChatUser, thread: str, item: Recorded | None) -> str:
        """The message of that item, or whatever, as the next one; its id."""
        if item is None:
            return me.send(thread)
        content = item["content"]
        if item["type"] in ("text", "html"):
            named = {"senderDisplayName": item["senderDisplayName"], "metadata": item.get("metadata")}
            more = {"type": item["type"]} | {name: value for name, value in named.items() if value}
            sender = self.user(item["senderCommunicationIdentifier"]["rawId"])
            return sender.send(thread, content["message"] or "Content", **more)
        actor = self.user(content["initiatorCommunicationIdentifier"]["rawId"])
        entries = [self._ours(each) for each in content.get("participants", ())]
        match item["type"]:
            case "topicUpdated":
                done = actor.ask("PATCH", thread, {"topic": content["topic"]})
            case "participantAdded":
                done = actor.ask("POST", f"{thread}/participants/:add", {"participants": entries})
            case _:
                [entry] = entries
                done = actor.ask("POST", f"{thread}/participants/:remove", entry["communicationIdentifier"])
        assert done.status in (201, 204), done
        return str(me.ask("GET", f"{thread}/messages?maxPageSize=1").json["value"][0]["id"])

    def _change(self, thread: str, ids: dict[int, str], item: Recorded) -> None:
        sender = self.user(item["senderCommunicationIdentifier"]["rawId"])
        target = f"{thread}/messages/{ids[int(item['sequenceId'])]}"
        if "deletedOn" in item:
            assert sender.ask("DELETE", target).status == 204
        else:
            kept = item.get("metadata", {})
            sent = sender.ask("GET", target).json.get("metadata", {})
            metadata = dict.fromkeys(sent, "") | kept
            assert (
                sender.ask("PATCH", target, {"content": item["content"]["message"], "metadata": metadata}).status == 204
            )

    def _ours(self, value: Any) -> Any:
        """What was sent, with our users in place of the recorders'."""
        if isinstance(value, dict):
            return {name: self._ours(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._ours(each) for each in value]
        return self.user(value).id if isinstance(value, str) and value.startswith("8:acs:") else value


def _headers(exchange: Recorded) -> dict[str, str]:
    recorded = {name.lower(): value for name, value in exchange["request_headers"].items()}
    return {name: recorded[name] for name in _SENT if name in recorded}


def _thread_of(exchange: Recorded) -> str:
    path: str = exchange["path"]
    return (
        path.partition("?")[0].replace("%3A", ":").replace("%40", "@").removeprefix("/chat/threads/").partition("/")[0]
    )
