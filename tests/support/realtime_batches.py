"""The same as `batches`, of what realtime asks: whoever imports this adds its cases to the others."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.batches import Batch, of
from tests.support.chats import Chatting
from watchword.chat import narrative_statements as narrative
from watchword.chat.speakers import Speaker
from watchword.identifiers import random_bytes
from watchword.realtime import statements as realtime
from watchword.realtime.store import Client, RegistrationStore

_NOW = 1_000


@of(
    narrative.TELL_THREAD,
    narrative.TELL_MESSAGE,
    narrative.MEMBERS,
    narrative.PARTS,
    narrative.MISSED,
    narrative.HAPPENED,
)
async def all_are_told_the_same_of_a_thread(batch: Batch) -> object:
    ada, number, message = await _chat(batch)
    asked: dict[str, Any] = {
        "thread": number,
        "by": ada.subject,
        "message": message,
        "resource": batch.resource.number,
        "subject": ada.subject,
        "after": 0,
        "since": 0,
        "most": 10,
    }
    answers = await batch.read(**{name: asked[name] for name, _ in batch.statement.parameters})
    return len(answers[0]) > 0 and answers == [answers[0]] * batch.count


@of(realtime.TOUCH)
async def all_find_what_is_kept_for_them(batch: Batch) -> object:
    await _register(batch)
    answers = await batch.write(**_whose(batch), epoch="e", now=_NOW + 5, oldest=_NOW)
    assert [len(answer) for answer in answers] == [1] * batch.count
    assert await batch.look("select seen_millis from registrations where resource = $1") == [(_NOW + 5,)]
    # Of another history nothing is kept, and what was kept for too long is not kept any more.
    for changed in ({"epoch": "other", "oldest": 0}, {"epoch": "e", "oldest": _NOW + 6}):
        assert await batch.write(**_whose(batch), now=_NOW + 7, **changed) == [[]] * batch.count
    return True


@of(realtime.CLAIM)
async def each_ticket_is_spent_once_and_each_claim_has_a_number_of_its_own(batch: Batch) -> object:
    await _register(batch)
    tickets = [random_bytes(16) for _ in range(batch.count)]
    asked = [{**_whose(batch), "ticket": ticket, "expires": 9, "now": _NOW} for ticket in tickets]
    answers = await batch.write_each([*asked, *asked])
    claims = sorted(row[1] for answer in answers for row in answer)
    assert claims == list(range(1, batch.count + 1))
    assert await batch.write_each(asked) == [[]] * batch.count
    strange = [{**_whose(batch), "subject": "nobody", "ticket": random_bytes(16), "expires": 9, "now": _NOW}]
    assert await batch.write_each(strange) == [[]]
    return await batch.look("select claim from registrations where resource = $1") == [(batch.count,)]


@of(realtime.HOLD)
async def only_the_newest_claim_holds(batch: Batch) -> object:
    number = await _register(batch)
    await _claim(batch, 2)
    newest = {"number": number, "claim": 2, "now": _NOW}
    answers = await batch.write_each([newest | {"claim": 1}, *[newest] * batch.count])
    assert answers[0] == []
    assert [answer[0][:3] for answer in answers[1:]] == [("e", 7, "")] * batch.count
    return await batch.look("select holder, is_open from registrations where resource = $1") == [(2, 1)]


@of(realtime.MOVE)
async def the_holder_alone_moves_and_the_last_position_counts(batch: Batch) -> object:
    number = await _hold(batch)

    def moved(position: int, *, claim: int = 2) -> dict[str, Any]:
        # Another one in the same batch, which is not there, is in nobody's way.
        rows = ([0, 1, "e", 1, ""], [number, claim, "f", position, "12,13"])
        return {"moved": json.dumps(rows), "now": _NOW + position}

    count = batch.count
    await batch.write_each([*(moved(10 + place) for place in range(count)), moved(99, claim=1)])
    found = "select epoch, position, ahead, is_open, seen_millis from registrations where resource = $1"
    assert await batch.look(found) == [("f", 9 + count, "12,13", 1, _NOW + 9 + count)]
    # Whichever of the two comes first, the end is the last word.
    ended = {"number": number, "claim": 2, "epoch": "f", "position": 200, "ahead": "", "stuck": 0, "tries": 0}
    await asyncio.gather(
        *(batch.write_each([moved(100)]) for _ in range(count)),
        batch.database.write(realtime.LEAVE, ended | {"now": _NOW}),
        *(batch.write_each([moved(100)]) for _ in range(count)),
    )
    return await batch.look(found) == [("f", 200, "", 0, _NOW)]


@of(realtime.LEAVE)
async def the_holder_alone_says_where_it_ended_and_the_last_word_counts(batch: Batch) -> object:
    number = await _hold(batch)
    ended = {"number": number, "claim": 2, "epoch": "e", "ahead": "12,13", "stuck": 0, "tries": 0, "now": _NOW}
    positions = [ended | {"position": 10 + place} for place in range(batch.count)]
    answers = await batch.write_each([*positions, ended | {"claim": 1, "position": 99}])
    assert [row[0] for answer in answers for row in answer] == [1] * batch.count + [0]
    found = await batch.look("select position, ahead, is_open from registrations where resource = $1")
    return found == [(9 + batch.count, "12,13", 0)]


def _whose(batch: Batch) -> dict[str, Any]:
    return {"resource": batch.resource.number, "subject": "ada", "epid": "e1"}


async def _register(batch: Batch) -> int:
    client = Client(batch.resource.number, "ada", "e1")
    store = RegistrationStore(batch.database)
    assert await store.admit(client, "e", 7, most=20, now_millis=_NOW, oldest_millis=0)
    [(number,)] = await batch.look("select number from registrations where resource = $1")
    return int(number)


async def _hold(batch: Batch) -> int:
    """The number of a registration that its second claim holds."""
    number = await _register(batch)
    await _claim(batch, 2)
    await batch.database.write(realtime.HOLD, {"number": number, "claim": 2, "now": _NOW})
    return number


async def _claim(batch: Batch, times: int) -> None:
    for _ in range(times):
        spent = {"ticket": random_bytes(16), "expires": 9, "now": _NOW}
        await batch.database.write(realtime.CLAIM, _whose(batch) | spent)


async def _chat(batch: Batch) -> tuple[Speaker, int, int]:
    """Somebody in a thread, the thread's number, and the id of a message in it."""
    some = Chatting(batch.database, batch.resource)
    ada = await some.user()
    message = int(await some.send(ada, await some.thread(ada)))
    [(number,)] = await batch.look("select number from threads where resource = $1")
    return ada, int(number), message
