"""The trusted server's messages: it reads all of them, sends under a name, deletes and redacts, and is in no thread."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.chats import Chatting, another_resource, invited
from watchword.chat.limits import ChatLimits
from watchword.chat.message import Message
from watchword.chat.participants import Invitation
from watchword.chat.speakers import Speaker, trusted_server
from watchword.chat.store import ChatStore
from watchword.chat.threads import ThreadChange
from watchword.chat.trusted_messages import Bounds, TrustedMessages
from watchword.chat.users import read_user
from watchword.errors import Unstorable
from watchword.errors.chat import (
    ChatQuotaExceeded,
    EmptyMessage,
    InvalidDisplayName,
    MalformedMessageId,
    MalformedThreadId,
    MessageNotFound,
    MessageTooLarge,
    MetadataTooLarge,
    NotTheSender,
    ThreadNotFound,
    TopicInForce,
    UnsupportedMessageType,
)
from watchword.identifiers import new_thread_id
from watchword.resources.store import Resource


@dataclass
class Trusting:
    """A thread with two users in it, and the trusted server's rules."""

    some: Chatting
    ada: Speaker
    ben: Speaker
    thread: str

    @property
    def messages(self) -> TrustedMessages:
        return TrustedMessages(ChatStore(self.some.database, lambda: None), self.some.minter, self.some.limits)

    async def read(self, id: str) -> Message:
        return await self.messages.get(self.some.resource, self.thread, id)

    async def send(self, content: str = "news", **more: object) -> str:
        asked = {"sender_name": "The house", "now_micros": self.some.now, "content": content} | more
        return str((await self.messages.send(self.some.resource, self.thread, **asked)).id)  # type: ignore[arg-type]

    async def redact(self, id: str) -> None:
        await self.messages.redact(self.some.resource, self.thread, id, now_micros=self.some.now)

    async def delete(self, id: str) -> None:
        await self.messages.delete(self.some.resource, self.thread, id, now_micros=self.some.now)

    async def all(self, bounds: Bounds, size: int) -> list[Message]:
        """All pages."""
        found: list[Message] = []
        while True:
            page = await self.messages.list(self.some.resource, self.thread, bounds, most=size)
            found += page.messages
            if page.next_version is None:
                return found
            bounds = Bounds(bounds.start, page.next_version, bounds.upward)

    async def counted(self) -> int:
        """The bytes that the thread counts, which are those of its messages."""
        [(counted,)] = await self.some.rows("select bytes from threads")
        assert counted == sum(len(text.encode()) for (text,) in await self.some.rows("select content from messages"))
        return int(counted)


@pytest.fixture
async def trusting(chatting: Chatting) -> Trusting:
    ada, ben = await chatting.users(2)
    invitation = Invitation(f"8:{ben.subject}", "Benjamin")
    return Trusting(chatting, ada, ben, await chatting.thread(ada, topic="tea", invited=[invitation]))


async def test_newest_versions_come_first_as_in_chat_and_ids_upward_where_that_is_asked(trusting: Trusting) -> None:
    some = trusting.some
    ids = [await some.send(trusting.ada, trusting.thread, f"m{number}") for number in range(5)]
    await some.rules.messages.edit(trusting.ada, trusting.thread, ids[0], content="new", now_micros=some.now)
    for size in (2, 7, 200):
        newest = await trusting.all(Bounds(), size)
        assert newest == await some.listed(trusting.ada, trusting.thread)
        upward = await trusting.all(Bounds(upward=True), size)
        assert upward == sorted(newest, key=lambda each: each.id)
    assert [str(each.id) for each in await trusting.all(Bounds(int(ids[3])), 2)] == [ids[0], ids[4], ids[3]]
    assert [str(each.id) for each in await trusting.all(Bounds(int(ids[3]), upward=True), 1)] == ids[3:]


async def test_it_reads_what_no_participant_sees(trusting: Trusting) -> None:
    some = trusting.some
    await some.remove(trusting.ada, trusting.thread, trusting.ben)
    id = await some.send(trusting.ada, trusting.thread, "after")
    await some.remove(trusting.ada, trusting.thread, trusting.ada)
    assert (await trusting.read(id)).content == "after"
    assert len(await trusting.all(Bounds(), 3)) == 5


async def test_it_sends_under_a_name_as_somebody_who_is_nobody(trusting: Trusting) -> None:
    some = trusting.some
    id = await trusting.send("<b>news</b><script>x</script>", type="HTML", metadata={"k": "v"})
    [first, *_] = await some.listed(trusting.ben, trusting.thread)
    assert first == await trusting.read(id)
    assert (first.kind, first.content, first.sender_name, first.metadata) == (
        "html", "<b>news</b>", "The house", {"k": "v"},
    )  # fmt: skip
    assert first.sender == trusted_server(some.resource).subject
    # In the shape of a user, of whom no identity can be made.
    named = read_user(f"8:{first.sender}")
    assert (named.subject, named.resource, named.flake) == (first.sender, some.resource.id, bytes(16))
    assert await some.rows("select kind, reference from journal order by id desc limit 1") == [("messageReceived", id)]
    another = await some.send(trusting.ada, trusting.thread)
    assert int(another) > int(id)
    assert [each.sequence for each in await trusting.all(Bounds(upward=True), 200)] == [1, 2, 3, 4]
    refused = await some.rules.participants.add(
        trusting.ada, trusting.thread, invited(trusted_server(some.resource)), now_micros=some.now
    )
    assert [each.reason for each in refused] == ["not found"]
    await trusting.counted()


async def test_what_it_sends_keeps_the_limits(trusting: Trusting) -> None:
    for wrong, error in (
        ({"content": ""}, EmptyMessage),
        ({"content": "x" * 28_673}, MessageTooLarge),
        ({"type": "topicUpdated"}, UnsupportedMessageType),
        ({"sender_name": "n" * 257}, InvalidDisplayName),
        ({"sender_name": "\0"}, Unstorable),
        ({"metadata": {"k": "v" * 1_024}}, MetadataTooLarge),
    ):
        with pytest.raises(error):
            await trusting.send(**wrong)
    trusting.some.limits = ChatLimits(messages_of_thread=3)
    await trusting.send()
    with pytest.raises(ChatQuotaExceeded):
        await trusting.send()
    trusting.some.limits = ChatLimits(bytes_of_thread=await trusting.counted() + 3)
    with pytest.raises(ChatQuotaExceeded):
        await trusting.send("four")
    await trusting.send("two")


async def test_what_it_deletes_is_left_as_if_its_sender_had(trusting: Trusting) -> None:
    some = trusting.some
    ids = [await some.send(trusting.ada, trusting.thread, sender_name="Ada", metadata={"k": "v"}) for _ in range(2)]
    await trusting.delete(ids[0])
    await some.rules.messages.delete(trusting.ada, trusting.thread, ids[1], now_micros=some.now)
    first, second = await trusting.read(ids[0]), await trusting.read(ids[1])
    for each in (first, second):
        assert (each.content, each.metadata, each.sender_name, each.deleted_millis) == ("", None, "Ada", each.version)
    await trusting.delete(ids[0])
    assert await trusting.read(ids[0]) == first
    system = next(each for each in await trusting.all(Bounds(), 200) if each.is_system)
    with pytest.raises(NotTheSender):
        await trusting.delete(str(system.id))
    await trusting.counted()


async def test_of_a_redacted_message_nothing_is_left_that_anybody_wrote(trusting: Trusting) -> None:
    some = trusting.some
    id = await some.send(trusting.ada, trusting.thread, "secret", sender_name="Ada", metadata={"k": "secret"})
    before = await trusting.read(id)
    await some.rules.messages.edit(trusting.ada, trusting.thread, id, content="still secret", now_micros=some.now)
    await trusting.redact(id)
    left = await trusting.read(id)
    assert (left.content, left.metadata, left.sender_name, left.edited_millis) == ("", None, "", None)
    assert (left.sender, left.sequence, left.deleted_millis) == (before.sender, before.sequence, left.version)
    assert (await some.listed(trusting.ben, trusting.thread))[0] == left
    assert await some.rows("select kind, reference from journal order by id desc limit 1") == [("messageDeleted", id)]
    await trusting.redact(id)
    assert await trusting.read(id) == left
    await trusting.counted()


async def test_a_message_that_is_deleted_already_loses_the_name_of_its_sender(trusting: Trusting) -> None:
    some = trusting.some
    id = await some.send(trusting.ada, trusting.thread, sender_name="Ada")
    await some.rules.messages.delete(trusting.ada, trusting.thread, id, now_micros=some.now)
    deleted = await trusting.read(id)
    await trusting.redact(id)
    left = await trusting.read(id)
    assert (left.sender_name, left.deleted_millis) == ("", deleted.deleted_millis)
    assert left.version > deleted.version


async def test_a_former_topic_and_the_names_of_who_joined_are_redacted_and_who_it_was_stays(trusting: Trusting) -> None:
    some = trusting.some
    added, topic = await trusting.all(Bounds(upward=True), 200)
    with pytest.raises(TopicInForce):
        await trusting.redact(str(topic.id))
    await some.rules.threads.update(trusting.ada, trusting.thread, ThreadChange(topic="cake"), now_micros=some.now)
    await trusting.redact(str(topic.id))
    await trusting.redact(str(added.id))
    left = await trusting.read(str(topic.id))
    assert (left.kind, left.content, left.sender) == ("topicUpdated", "", trusting.ada.subject)
    left = await trusting.read(str(added.id))
    assert [each.display_name for each in added.participants] == [None, "Benjamin"]
    assert [(each.subject, each.display_name) for each in left.participants] == [
        (trusting.ada.subject, None), (trusting.ben.subject, None),
    ]  # fmt: skip
    assert left.deleted_millis == left.version
    assert await some.rows("select 1 from messages where content like '%tea%' or content like '%Benjamin%'") == []
    await trusting.redact(str(added.id))
    assert await trusting.read(str(added.id)) == left
    await trusting.counted()


async def test_what_is_not_there_is_not_found(trusting: Trusting) -> None:
    some = trusting.some
    other = await another_resource(some.database)
    id = await some.send(trusting.ada, trusting.thread)
    gone = await some.thread(trusting.ada)
    await some.rules.threads.delete(trusting.ada, gone, some.now)
    rules = trusting.messages

    async def everything(resource: Resource, thread: str, message: str) -> list[type[Exception]]:
        raised = []
        for call in (
            lambda: rules.list(resource, thread, Bounds(), most=1),
            lambda: rules.list(resource, thread, Bounds(upward=True), most=1),
            lambda: rules.send(resource, thread, content="c", sender_name="n", now_micros=some.now),
            lambda: rules.get(resource, thread, message),
            lambda: rules.delete(resource, thread, message, now_micros=some.now),
            lambda: rules.redact(resource, thread, message, now_micros=some.now),
        ):
            with pytest.raises(Exception) as caught:  # noqa: PT011 - each is compared below.
                await call()
            raised.append(caught.type)
        return raised

    for resource, thread in ((other, trusting.thread), (some.resource, gone), (some.resource, new_thread_id())):
        assert set(await everything(resource, thread, id)) == {ThreadNotFound}
    assert set(await everything(some.resource, "nonsense", id)) == {MalformedThreadId}
    for message, error in (("1600000000000", MessageNotFound), ("nonsense", MalformedMessageId)):
        for call in (rules.get(some.resource, trusting.thread, message),
                     rules.delete(some.resource, trusting.thread, message, now_micros=some.now),
                     rules.redact(some.resource, trusting.thread, message, now_micros=some.now)):  # fmt: skip
            with pytest.raises(error):
                await call
