"""What every official chat client must see, whatever its language: each operation as it is carried out.

A test module derives from this and says with which clients. An order goes to a program in the client's own language,
and what the client made of the answer comes back. Ways to be refused are in `chat_refusals`.
"""

import re
from datetime import UTC, datetime, timedelta

from tests.sdk.chat_talk import Talk
from tests.support.chat_users import new_user

OTHER_RESOURCE = "8:acs:00000000-0000-4000-8000-000000000000_00000000-0000-4000-8000-000000000000"
NEVER_WAS = "00000000-0000-4000-8000-000000000000"


def instant(text: str | None) -> datetime:
    assert text is not None
    return datetime.fromisoformat(text)


def is_recent(text: str | None) -> bool:
    found = instant(text)
    return found.microsecond == 0 and abs(datetime.now(UTC) - found) < timedelta(minutes=5)


class ChatContract:
    """`talk` is a fixture of the test module."""

    # -- Threads.

    def test_a_thread_that_is_created_is_told_whole(self, talk: Talk) -> None:
        assert re.fullmatch(r"19:acsV1_[\w-]{43}1@thread\.v2", talk.thread)
        assert (talk.made["topic"], talk.made["createdBy"]) == ("Lunch", talk.ada.id)
        assert is_recent(talk.made["createdOn"])
        assert talk.here(talk.bob, "getThread") == talk.made

    def test_a_creation_that_is_repeated_gives_the_same_thread(self, talk: Talk) -> None:
        first = talk.ask(talk.ada, "createThread", topic="Once", repeatability="contoso-1")
        assert talk.ask(talk.ada, "createThread", topic="Once", repeatability="contoso-1") == first
        other = talk.ask(talk.ada, "createThread", topic="Once", repeatability="contoso-2")
        assert other["thread"]["id"] != first["thread"]["id"]

    def test_threads_are_listed_by_pages_the_newest_message_first(self, talk: Talk) -> None:
        made = [talk.ask(talk.ada, "createThread", topic=f"Topic {at}")["thread"]["id"] for at in range(3)]
        talk.here(talk.bob, "sendMessage", content="Hello")
        pages = talk.ask(talk.ada, "listThreads", size=3)
        items = [item for page in pages for item in page]
        assert [item["id"] for item in items] == [talk.thread, *reversed(made)]
        assert [len(page) for page in pages] == [3, 1]
        assert all(is_recent(item["lastMessageReceivedOn"]) for item in items)
        assert [len(page) for page in talk.ask(talk.ada, "listThreads", size=2)] == [2, 2]
        future = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        assert talk.ask(talk.ada, "listThreads", start="2020-10-30T10:50:50.123+00:00") == [items]
        assert talk.ask(talk.ada, "listThreads", start=future) == [[]]

    def test_a_topic_is_changed_and_a_message_says_so(self, talk: Talk) -> None:
        talk.here(talk.ada, "updateThread", topic="Dinner \U0001f35d")
        assert talk.here(talk.bob, "getThread")["topic"] == "Dinner \U0001f35d"
        newest = talk.here(talk.bob, "listMessages")[0][0]
        assert (newest["type"], newest["topic"]) == ("topicUpdated", "Dinner \U0001f35d")
        assert (newest["initiator"], newest["sender"], newest["name"]) == (talk.ada.id, None, None)

    def test_a_thread_is_deleted_twice_and_then_not_found_but_listed(self, talk: Talk) -> None:
        for _ in range(2):
            assert talk.here(talk.ada, "deleteThread") is None
        status, code, message = talk.refused(talk.ada, "getThread")
        assert (status, code) == (404, "NotFound")
        assert (message or "").startswith("The specified thread id was not found.")
        [[item]] = talk.ask(talk.bob, "listThreads")
        assert (item["id"], is_recent(item["deletedOn"])) == (talk.thread, True)

    # -- Participants.

    def test_participants_are_added_listed_skipped_and_removed(self, talk: Talk) -> None:
        cleo, dan = new_user(talk.signed), new_user(talk.signed)
        since = "2024-02-16T23:47:41+00:00"
        entries = [{"id": cleo.id, "name": "Cleo", "since": since}, {"id": dan.id}, {"id": talk.bob.id, "name": "Rob"}]
        assert talk.here(talk.bob, "addParticipants", participants=entries) == []
        [found] = talk.here(talk.ada, "listParticipants")
        assert [(each["id"], each["name"]) for each in found] == [
            (talk.ada.id, "Ada"),
            (talk.bob.id, "Bob"),
            (cleo.id, "Cleo"),
            (dan.id, None),
        ]
        assert [instant(each["since"]).timestamp() for each in found] == [0, 0, instant(since).timestamp(), 0]
        assert talk.here(talk.ada, "listParticipants", size=2) == [found[:2], found[2:]]
        assert [each for page in talk.here(talk.ada, "listParticipants", skip=1) for each in page] == found[1:]
        newest = talk.here(talk.ada, "listMessages")[0][0]
        assert newest["type"] == "participantAdded"
        assert [each["id"] for each in newest["participants"]] == [cleo.id, dan.id]
        assert talk.here(talk.ada, "removeParticipant", id=cleo.id) is None
        gone = talk.here(talk.ada, "listMessages")[0][0]
        assert (gone["type"], [each["name"] for each in gone["participants"]]) == ("participantRemoved", ["Cleo"])
        assert talk.refused(cleo, "sendMessage", content="Hello")[:2] == (403, "Forbidden")

    def test_who_leaves_is_out(self, talk: Talk) -> None:
        assert talk.here(talk.bob, "removeParticipant", id=talk.bob.id) is None
        assert talk.refused(talk.bob, "listParticipants")[:2] == (403, "Forbidden")
        assert talk.here(talk.bob, "getThread")["topic"] == "Lunch"

    # -- Messages.

    def test_a_message_is_sent_and_read_back_whole(self, talk: Talk) -> None:
        id = talk.here(talk.ada, "sendMessage", content="Hello \U0001f44b", name="Ada")
        found = talk.here(talk.bob, "getMessage", message=id)
        assert re.fullmatch(r"\d{13}", id)
        assert (found["id"], found["version"], found["type"]) == (id, id, "text")
        assert (found["content"], found["name"], found["sender"]) == ("Hello \U0001f44b", "Ada", talk.ada.id)
        assert found["metadata"] == {}
        assert found.get("sequence", "3") == "3"
        assert instant(found["createdOn"]).timestamp() == int(id) // 1000
        assert (found["editedOn"], found["deletedOn"]) == (None, None)

    def test_html_is_sanitised_and_a_name_may_be_left_out(self, talk: Talk) -> None:
        id = talk.here(talk.ada, "sendMessage", content="<div>test</div><script>x()</script>", type="html")
        found = talk.here(talk.bob, "getMessage", message=id)
        assert (found["type"], found["content"], found["name"]) == ("html", "<div>test</div>", "")

    def test_messages_are_listed_by_pages_the_last_change_first(self, talk: Talk) -> None:
        ids = [talk.here(talk.ada, "sendMessage", content=f"Message {at}") for at in range(6)]
        talk.here(talk.ada, "updateMessage", message=ids[1], content="Edited")
        talk.here(talk.ada, "deleteMessage", message=ids[0])
        pages = talk.here(talk.bob, "listMessages", size=3)
        assert [len(page) for page in pages] == [3, 3, 2]
        listed = [item for page in pages for item in page]
        assert [item["id"] for item in listed[:6]] == [ids[0], ids[1], ids[5], ids[4], ids[3], ids[2]]
        assert [item["type"] for item in listed[6:]] == ["topicUpdated", "participantAdded"]
        tombstone, edited = listed[:2]
        assert (tombstone["content"], is_recent(tombstone["deletedOn"]), tombstone["editedOn"]) == ("", True, None)
        assert (edited["content"], is_recent(edited["editedOn"]), edited["deletedOn"]) == ("Edited", True, None)
        assert [len(page) for page in talk.here(talk.bob, "listMessages", size=4)] == [4, 4]
        assert talk.here(talk.bob, "listMessages") == [listed]
        started = talk.here(talk.bob, "listMessages", start=f"{listed[0]['createdOn'][:19]}+00:00")
        assert [item["id"] for page in started for item in page][:1] == [ids[0]]

    # -- Receipts and typing.

    def test_the_newest_receipt_of_each_is_listed(self, talk: Talk) -> None:
        first, second = (talk.here(talk.ada, "sendMessage", content="Hello") for _ in range(2))
        for user, id in ((talk.bob, first), (talk.ada, second), (talk.bob, second)):
            assert talk.here(user, "sendReceipt", message=id) is None
        [found] = talk.here(talk.ada, "listReceipts")
        assert sorted((each["sender"], each["message"]) for each in found) == sorted(
            [(talk.ada.id, second), (talk.bob.id, second)]
        )
        assert all(is_recent(each["readOn"]) for each in found)
        assert [len(page) for page in talk.here(talk.ada, "listReceipts", size=1)] == [1, 1]
        assert [len(page) for page in talk.here(talk.ada, "listReceipts", skip=1)] == [1]

    def test_typing_is_taken_with_and_without_a_name(self, talk: Talk) -> None:
        # JavaScript sends no second one within eight seconds, and says so.
        assert talk.here(talk.ada, "sendTyping", name="Ada") in (None, True)
        assert talk.here(talk.bob, "sendTyping") in (None, True)


class NewestChatContract:
    """What the newest api-version has, and the clients that know it."""

    def test_metadata_and_retention_are_told_and_merged(self, talk: Talk) -> None:
        made = talk.ask(
            talk.ada,
            "createThread",
            topic="Lunch",
            metadata={"a": "1", "b": "2"},
            days=60,
            participants=[{"id": talk.bob.id, "metadata": {"role": "guest"}}],
        )["thread"]
        assert made["metadata"] == {"a": "1", "b": "2"}
        assert made["retention"] == {"kind": "threadCreationDate", "deleteThreadAfterDays": 60}
        thread = made["id"]
        talk.ask(talk.ada, "updateThread", thread=thread, topic="Dinner", metadata={"b": "3", "c": "4"}, days=90)
        found = talk.ask(talk.bob, "getThread", thread=thread)
        assert (found["topic"], found["metadata"]) == ("Dinner", {"a": "1", "b": "3", "c": "4"})
        assert found["retention"]["deleteThreadAfterDays"] == 90
        [participants] = talk.ask(talk.ada, "listParticipants", thread=thread)
        assert [each.get("metadata") for each in participants] == [None, {"role": "guest"}]
        talk.ask(talk.ada, "updateThread", thread=thread, days=None, metadata={})
        assert talk.ask(talk.bob, "getThread", thread=thread)["retention"] == {"kind": "none"}

    def test_a_retention_out_of_bounds_is_told_with_them(self, talk: Talk) -> None:
        for days in (29, 91):
            status, code, message = talk.refused(talk.ada, "createThread", topic="Lunch", days=days)
            assert (status, code) == (400, "BadRequest")
            assert "30 to 90 days" in (message or "")


class InvitationContract:
    """What is said of participants who could not be there from the start."""

    def test_who_cannot_be_invited_is_told_and_the_thread_is_there(self, talk: Talk) -> None:
        missing = f"{talk.ada.id.partition('_')[0]}_{NEVER_WAS}"
        entries = [{"id": OTHER_RESOURCE}, {"id": missing}, {"id": talk.bob.id}]
        made = talk.ask(talk.ada, "createThread", topic="Lunch", participants=entries)
        assert sorted(made["invalid"]) == sorted(
            [[OTHER_RESOURCE, "403", "Permissions check failed"], [missing, "404", "Not found"]]
        )
        [found] = talk.ask(talk.ada, "listParticipants", thread=made["thread"]["id"])
        assert [each["id"] for each in found] == [talk.ada.id, talk.bob.id]


class MessageMetadataContract:
    """Metadata of messages, since the api-version that knows it."""

    def test_metadata_comes_back_as_it_was_sent(self, talk: Talk) -> None:
        metadata = {"tags": "tag value", "empty": ""}
        id = talk.here(talk.ada, "sendMessage", content="Hello", metadata=metadata)
        assert talk.here(talk.bob, "getMessage", message=id)["metadata"] == metadata

    def test_a_message_is_changed_and_keys_of_its_metadata_are_removed(self, talk: Talk) -> None:
        id = talk.here(talk.ada, "sendMessage", content="Hello", metadata={"kept": "1", "gone": "2", "new": "3"})
        talk.here(talk.ada, "updateMessage", message=id, content="Good bye", metadata={"gone": "", "new": "4"})
        found = talk.here(talk.bob, "getMessage", message=id)
        assert (found["content"], found["metadata"]) == ("Good bye", {"kept": "1", "new": "4"})
        assert int(found["version"]) > int(id)

    def test_metadata_that_is_too_large_is_told_with_the_limit(self, talk: Talk) -> None:
        status, code, message = talk.refused(talk.ada, "sendMessage", content="x", metadata={"k": "v" * 1024})
        assert (status, code, "1024" in (message or "")) == (400, "BadRequest", True)
