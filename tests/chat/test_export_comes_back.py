"""What a Watchword exports of a thread can be brought in again."""

from __future__ import annotations

from pathlib import Path

from tests.support.chat_users import pages
from tests.support.chat_world import World
from watchword.cli.watchword_history import read_watchword
from watchword.client import HistoryImports
from watchword.identifiers import new_guid


def test_an_exported_thread_is_the_same_once_it_was_brought_in(world: World) -> None:
    ada, bob, thread = world.ada, world.bob, world.thread
    bob.send(thread, "<b>Yes</b>", type="html", senderDisplayName="Bob")
    gone = bob.send(thread, "never mind")
    assert bob.ask("DELETE", f"{thread}/messages/{gone}").status == 204
    assert ada.ask("PATCH", f"{thread}/messages/{world.message}", {"content": "changed"}).status == 204
    exported = world.client.call("GET", f"{thread.replace('/chat/', '/trusted/')}/export?maxPageSize=200", b"")
    [room] = read_watchword(Path("export"), exported.body)
    while "link" in exported.headers:
        target = exported.headers["link"].partition("<")[2].partition(">")[0].removeprefix(world.server.endpoint)
        exported = world.client.call("GET", target, b"")
        for more in read_watchword(Path("export"), exported.body):
            room.records += more.records
            room.participants |= more.participants
    with HistoryImports.from_connection_string(world.server.connection_string) as imports:
        done = imports.bring(new_guid(), room.topic, room.records, participants=room.participants.values())
    before, after = (
        [
            {name: each[name] for name in each if name != "sequenceId"}
            for page in pages(bob, f"{path}/messages?maxPageSize=200")
            for each in page
            if each["type"] in ("text", "html")
        ]
        for path in (thread, f"/chat/threads/{done.thread}")
    )
    assert before == after
