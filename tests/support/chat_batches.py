"""The same as `batches`, of chat's hot statements: whoever imports this adds its cases to the others."""

from __future__ import annotations

from typing import Any

from tests.support.batches import Batch, of
from tests.support.chats import Chatting
from watchword.chat import inbox_statements as inbox
from watchword.chat import reading_statements as reading
from watchword.chat import statements as chat
from watchword.chat.speakers import Speaker
from watchword.identifiers import random_bytes


@of(reading.FIND_THREAD, reading.FIND_MESSAGE, reading.LIST_MESSAGES, reading.LIST_THREADS)
async def all_read_the_same_of_a_thread(batch: Batch) -> object:
    ada, thread, id = await _chat(batch)
    every = _reading(batch, ada, thread, id)
    answers = await batch.read(**{name: every[name] for name, _ in batch.statement.parameters})
    return len(answers[0]) > 0 and answers == [answers[0]] * batch.count


@of(inbox.FIND_ITEM)
async def all_find_the_same_item(batch: Batch) -> object:
    ada, _, id = await _chat(batch)
    [(number,)] = await batch.look("select number from threads where resource = $1")
    answers = await batch.read(number=number, subject=ada.subject, most=10)
    return answers[0][0][7] == id and answers == [answers[0]] * batch.count


@of(chat.SEND, chat.SEND_UNMODERATED)
async def sent_messages_are_numbered_one_after_another(batch: Batch) -> object:
    ada, thread, _ = await _chat(batch)
    every = _reading(batch, ada, thread, 0)
    asked = [every | {"key": random_bytes(16)} for _ in range(batch.count)]
    names = [name for name, _ in batch.statement.parameters]
    rows = [{name: each[name] for name in names} for each in asked]
    # One of them twice, as if it had been sent again; and one of somebody who takes no part.
    answers = await batch.write_each([*rows, rows[0], rows[0] | {"sender": "nobody", "key": random_bytes(16)}])
    assert answers[0][0][0] == answers[-2][0][0]
    assert answers[-1][0][0] is None
    ids = sorted(answer[0][0] for answer in answers[:-2])
    numbers = await batch.look(
        "select m.sequence, m.id from messages m join threads t on t.number = m.thread where t.resource = $1 order by 1"
    )
    assert [sequence for sequence, _ in numbers] == list(range(1, batch.count + 4))
    assert [id for _, id in numbers][3:] == ids
    return await batch.look("select change from journal where resource = $1 order by id") == [
        (number,) for number in range(1, batch.count + 3)
    ]


@of(chat.MARK_READ)
async def the_newest_receipt_is_written_and_everybody_is_told_what_became_of_theirs(batch: Batch) -> object:
    ada, thread, id = await _chat(batch)
    every = _reading(batch, ada, thread, id)
    names = [name for name, _ in batch.statement.parameters]
    asked = {name: every[name] for name in names}
    # Another is for the message before, and one for none at all.
    answers = await batch.write_each([*[asked] * batch.count, asked | {"message": id - 1}, asked | {"message": 1}])
    assert sum(answer[0][0] for answer in answers[: batch.count]) == 1, answers
    assert answers[-1][0][0] == 0
    assert answers[-1][0][5] in (0, False)
    return await batch.look("select read_id from participants where resource = $1 and read_id is not null") == [(id,)]


async def _chat(batch: Batch) -> tuple[Speaker, str, int]:
    """Somebody in a thread, and the id of a message in it."""
    some = Chatting(batch.database, batch.resource)
    ada = await some.user()
    thread = await some.thread(ada)
    return ada, thread, int(await some.send(ada, thread))


def _reading(batch: Batch, ada: Speaker, thread: str, id: int) -> dict[str, Any]:
    return {
        "resource": batch.resource.number,
        "thread": thread,
        "subject": ada.subject,
        "sender": ada.subject,
        "message": id,
        "start": 0,
        "below": reading.EVER,
        "listed": reading.EVER,
        "most": 10,
        "most_present": 20,
        "kind": "text",
        "content": "hello",
        "sender_name": "",
        "metadata": None,
        "size": 5,
        "now": id,
        "moment": id * 1_000,
        "most_messages": 0,
        "most_bytes": 0,
    }
