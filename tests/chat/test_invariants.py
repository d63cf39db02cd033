"""What holds of a thread over HTTP whoever writes meanwhile: pages, versions, numbers, and deleting twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.chat_users import ChatUser, new_user, pages
from tests.support.data import looking
from tests.support.signed import SignedClient
from watchword.testing import RunningServer

CLIENTS = 50


@pytest.fixture
def client(server: RunningServer) -> Iterator[SignedClient]:
    with SignedClient(server) as signed:
        yield signed


@pytest.fixture
def ada(client: SignedClient) -> ChatUser:
    return new_user(client)


def test_thirty_items_with_the_default_page_are_three_pages_and_no_fourth(ada: ChatUser) -> None:
    thread = ada.new_thread()
    for _ in range(28):
        ada.send(thread)
    assert [len(page) for page in pages(ada, f"{thread}/messages")] == [10, 10, 10]


def test_an_edited_message_comes_first_and_is_otherwise_the_same(ada: ChatUser) -> None:
    thread = ada.new_thread()
    id = ada.send(thread, "before")
    for _ in range(3):
        ada.send(thread)
    before = ada.ask("GET", f"{thread}/messages/{id}").json
    assert ada.ask("PATCH", f"{thread}/messages/{id}", {"content": "after"}).status == 204
    first = next(pages(ada, f"{thread}/messages"))[0]
    changed = {"version", "editedOn", "content"}
    assert first.keys() - before.keys() == {"editedOn"}
    assert {name for name in before if first[name] != before[name]} == changed - {"editedOn"}
    assert (first["content"]["message"], int(first["version"]) > int(before["version"])) == ("after", True)


def test_paging_while_others_send_edit_and_delete_has_no_hole_and_no_double(
    server: RunningServer, ada: ChatUser
) -> None:
    thread = ada.new_thread()
    ids = [ada.send(thread, str(number)) for number in range(60)]
    touched, over, busy = set(ids[::3]), threading.Event(), threading.Event()

    def write() -> None:
        with SignedClient(server) as own:
            writer = ChatUser(own, ada.id, ada.token)
            while not over.is_set():
                for id in ids[::3]:
                    writer.send(thread, "meanwhile")
                    assert writer.ask("PATCH", f"{thread}/messages/{id}", {"content": "changed"}).status in (204, 404)
                    if int(id) % 2:
                        assert writer.ask("DELETE", f"{thread}/messages/{id}").status == 204
                    busy.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            assert busy.wait(20)
            for _ in range(3):
                seen = [item["id"] for page in pages(ada, f"{thread}/messages?maxPageSize=3") for item in page]
                assert len(seen) == len(set(seen)), "a message came twice"
                untouched = [id for id in ids if id not in touched]
                assert [id for id in seen if id in set(untouched)] == untouched[::-1]
        finally:
            over.set()
        writing.result()


def test_fifty_clients_at_once_get_consecutive_numbers_and_each_message_is_there_once(
    server: RunningServer, ada: ChatUser
) -> None:
    thread = ada.new_thread()
    together = threading.Barrier(CLIENTS)

    def send(number: int) -> tuple[str, str]:
        with SignedClient(server) as own:
            writer = ChatUser(own, ada.id, ada.token)
            together.wait(20)
            return f"from {number}", writer.send(thread, f"from {number}")

    with ThreadPoolExecutor(CLIENTS) as pool:
        sent = dict(pool.map(send, range(CLIENTS)))
    items = [item for page in pages(ada, f"{thread}/messages?maxPageSize=200") for item in page]
    assert [int(each["sequenceId"]) for each in items] == list(range(CLIENTS + 2, 0, -1))
    assert len({each["id"] for each in items}) == CLIENTS + 2
    assert {each["content"]["message"]: each["id"] for each in items[:CLIENTS]} == sent


def test_a_thread_deleted_twice_is_deleted_once(server: RunningServer, client: SignedClient, ada: ChatUser) -> None:
    ben = new_user(client)
    thread = ada.new_thread(ben)
    assert ada.ask("DELETE", thread).status == 204
    before = ada.ask("GET", "/chat/threads").json["value"]
    assert [ada.ask("DELETE", thread).status, ben.ask("DELETE", thread).status] == [204, 204]
    assert ada.ask("GET", "/chat/threads").json["value"] == before
    assert "deletedOn" in before[0]
    told = "select count(*) from journal j join threads t on t.number = j.thread where j.kind = 'threadDeleted'"
    with looking(server) as query:
        assert query(f"{told} and t.id = '{thread.rpartition('/')[2]}'") == [(1,)]
