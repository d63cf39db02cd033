"""A connection to PostgreSQL that is lost at COMMIT doubles nothing: no message, no receipt, no thread."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.chat_users import ChatUser, new_user, pages
from tests.support.cut_wire import CutWire, cut_wire
from tests.support.data import looking
from tests.support.postgres import Cluster
from tests.support.signed import SignedClient
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server

AT_ONCE = 12


@pytest.fixture(scope="module")
def wire(cluster: Cluster) -> Iterator[CutWire]:
    with cut_wire(cluster.port) as found:
        yield found


@pytest.fixture(scope="module")
def server(cluster: Cluster, wire: CutWire) -> Iterator[RunningServer]:
    address = cluster.fresh().replace(f":{cluster.port}/", f":{wire.port}/")
    with running_server(Settings(request_log=False, tls=False, database=address)) as running:
        yield running


@pytest.fixture
def ada(server: RunningServer) -> Iterator[ChatUser]:
    with SignedClient(server) as client:
        yield new_user(client)


def texts(user: ChatUser, thread: str) -> dict[str, list[str]]:
    """The ids of each text."""
    found: dict[str, list[str]] = {}
    for page in pages(user, f"{thread}/messages"):
        for item in page:
            if item["type"] == "text":
                found.setdefault(item["content"]["message"], []).append(item["id"])
    return found


def test_a_message_whose_commit_nobody_heard_of_is_answered_and_there_once(wire: CutWire, ada: ChatUser) -> None:
    thread = ada.new_thread()
    wire.cut("the answer is lost")
    before = len(wire.taken)
    id = ada.send(thread, "the answer is lost")
    assert len(wire.taken) == before + 1, "no answer was lost"
    assert texts(ada, thread) == {"the answer is lost": [id]}
    next_id = ada.send(thread)
    assert ada.ask("GET", f"{thread}/messages/{next_id}").json["sequenceId"] == "4"


def test_a_message_that_could_not_be_asked_about_is_a_503_and_there_once(wire: CutWire, ada: ChatUser) -> None:
    thread = ada.new_thread()
    wire.cut("lost twice", times=2)
    reply = ada.ask("POST", f"{thread}/messages", {"content": "lost twice"})
    assert (reply.status, wire.cuts) == (503, 0)
    assert reply.headers["retry-after"].isdecimal()
    assert [len(ids) for ids in texts(ada, thread).values()] == [1]


def test_messages_of_many_that_share_a_lost_commit_are_each_there_once(
    server: RunningServer, wire: CutWire, ada: ChatUser
) -> None:
    thread = ada.new_thread()
    wire.cut("of many")

    def send(number: int) -> tuple[str, list[str]]:
        with SignedClient(server) as own:
            return f"of many {number}", [ChatUser(own, ada.id, ada.token).send(thread, f"of many {number}")]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        sent = dict(pool.map(send, range(AT_ONCE)))
    assert wire.cuts == 0
    assert texts(ada, thread) == sent
    numbers = [int(item["sequenceId"]) for page in pages(ada, f"{thread}/messages") for item in page]
    assert numbers == list(range(AT_ONCE + 2, 0, -1))


def test_a_receipt_is_written_and_told_once(server: RunningServer, wire: CutWire, ada: ChatUser) -> None:
    thread = ada.new_thread()
    id = ada.send(thread)
    # A receipt is known on the wire by whose it is.
    wire.cut(ada.id.removeprefix("8:"))
    assert ada.ask("POST", f"{thread}/readReceipts", {"chatMessageId": id}).status == 200
    assert wire.cuts == 0
    assert ada.ask("POST", f"{thread}/readReceipts", {"chatMessageId": id}).status == 200
    [receipt] = ada.ask("GET", f"{thread}/readReceipts").json["value"]
    assert receipt["chatMessageId"] == id
    with looking(server) as query:
        sql = "select count(*) from journal where kind = 'readReceiptReceived' and reference = '{}/{}'"
        assert query(sql.format(ada.id.removeprefix("8:"), id)) == [(1,)]


def test_a_thread_that_is_asked_for_again_by_its_repeatability_id_is_made_once(wire: CutWire, ada: ChatUser) -> None:
    headers = {"repeatability-request-id": "one"}
    wire.cut("a lost thread")
    first, again = (ada.ask("POST", "/chat/threads", {"topic": "a lost thread"}, headers=headers) for _ in range(2))
    assert (first.status, again.status, wire.cuts) == (503, 201, 0)
    [listed] = ada.ask("GET", "/chat/threads").json["value"]
    assert listed["id"] == again.json["chatThread"]["id"]
