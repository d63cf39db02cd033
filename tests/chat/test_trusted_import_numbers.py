"""Which ids, sequence numbers and versions the messages of a history are given."""

from __future__ import annotations

from itertools import pairwise

from tests.support.chats import Chatting
from tests.support.importing import LONG_AGO, Importing, record


async def test_ids_numbers_and_versions_follow_the_original_times(chatting: Chatting) -> None:
    ada, ben = await chatting.users(2)
    importing = Importing(chatting)
    thread = await importing.begin()
    times = [0, 0, 0, 1, 50, 50, 1_000]
    first = [record(ada, str(each), millis) for each, millis in enumerate(times[:4])]
    assert await importing.append(first) == 4
    assert await importing.append([record(ben, str(each + 4), millis) for each, millis in enumerate(times[4:])], 4) == 7
    await importing.finish(ada, ben)
    found = sorted(await chatting.listed(ada, thread), key=lambda each: each.id)
    assert [each.id - LONG_AGO for each in found] == [0, 1, 2, 3, 50, 51, 1_000]
    assert [each.sequence for each in found] == [1, 2, 3, 4, 5, 6, 7]
    assert [(each.version, each.content) for each in found] == [(each.id, str(at)) for at, each in enumerate(found)]
    assert [each.sender for each in found] == [ada.subject] * 4 + [ben.subject] * 3
    made = await chatting.rules.threads.get(ben, thread)
    assert (made.created_millis, made.created_by) == (LONG_AGO, ada.subject)
    # It is a thread like all others: what is sent now comes after.
    assert int(await chatting.send(ben, thread)) > found[-1].id
    assert (await chatting.listed(ada, thread))[0].sequence == 8


async def test_what_was_edited_or_deleted_has_the_version_of_that_time_and_no_two_are_alike(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    thread = await importing.begin()
    late = LONG_AGO + 500
    await importing.append(
        [
            record(ada, "edited", 0, edited_millis=late),
            record(ada, "deleted", 1, deleted_millis=late, metadata={"k": "v"}),
            record(ada, "edited as well", 2, edited_millis=LONG_AGO + 2),
        ]
    )
    # A later batch has messages of the very times of those changes.
    await importing.append([record(ada, "new", 500), record(ada, "new", 501, edited_millis=late + 1)], 3)
    await importing.finish(ada)
    found = sorted(await chatting.listed(ada, thread), key=lambda each: each.sequence)
    assert [each.id - LONG_AGO for each in found] == [0, 1, 2, 502, 503]
    assert [each.version - LONG_AGO for each in found] == [500, 501, 2, 502, 503]
    assert [each.edited_millis and each.edited_millis - LONG_AGO for each in found] == [500, None, 2, None, 501]
    assert (found[1].content, found[1].metadata, found[1].deleted_millis) == ("", None, late)


async def test_versions_rise_over_any_number_of_batches(chatting: Chatting) -> None:
    [ada] = await chatting.users(1)
    importing = Importing(chatting)
    thread = await importing.begin()
    records = [
        record(ada, str(each), each // 3, edited_millis=LONG_AGO + 40 if each % 4 == 0 else None) for each in range(120)
    ]
    reached = 0
    while reached < len(records):
        reached = await importing.append(records[reached : reached + 7], reached)
    await importing.finish(ada)
    found = sorted(await chatting.listed(ada, thread), key=lambda each: each.sequence)
    assert [each.content for each in found] == [str(each) for each in range(120)]
    assert all(before.id < after.id for before, after in pairwise(found))
    assert len({each.version for each in found}) == 120
    assert all(each.version >= each.id for each in found)
