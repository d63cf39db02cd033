"""Callers that create identities on one connection after another, as fast as they are answered."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from tests.support.polling import until
from tests.support.signed import Reachable, SignedClient


class Caller:
    """A thread that goes on until it is told to stop, or is refused a new connection."""

    def __init__(self, server: Reachable) -> None:
        self.created: list[str] = []
        self.failures: list[str] = []
        self.was_refused = False
        self._server = server
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def has_ended(self) -> bool:
        return self.was_refused or bool(self.failures)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopped.is_set() and not self.has_ended:
            with SignedClient(self._server) as client:
                self._call(client)

    def _call(self, client: SignedClient) -> None:
        """Until the server ends the connection, which it says in its last answer."""
        answered = 0
        while not self._stopped.is_set():
            try:
                reply = client.create()
            except (OSError, HTTPException) as error:
                # A connection that was never answered may have been refused while it waited in the queue.
                self.was_refused = not answered
                self.failures += [repr(error)] if answered else []
                return
            if reply.status != 201:
                self.failures.append(repr(reply))
                return
            self.created.append(reply.json["identity"]["id"])
            answered += 1
            if reply.headers.get("connection") == "close":
                return


@contextmanager
def callers(server: Reachable, count: int = 6) -> Iterator[list[Caller]]:
    """So many, each of which has been answered some times; at the end of the block they have ended."""
    every = [Caller(server) for _ in range(count)]
    for each in every:
        each.start()
    try:
        wait_for_more(every)
        yield every
    finally:
        for each in every:
            each.stop()
        for each in every:
            each.join()


def wait_for_more(every: list[Caller], answers: int = 20) -> None:
    """Each caller is answered so many times more."""
    before = [len(each.created) for each in every]

    def fewest() -> int:
        return min(len(each.created) - known for each, known in zip(every, before, strict=True))

    until(lambda: fewest() >= answers or any(each.has_ended for each in every), bool)


def created(every: list[Caller]) -> list[str]:
    return sorted(id for each in every for id in each.created)


def all_identities(client: SignedClient) -> list[str]:
    """The identities of the whole resource, page by page."""
    found: list[str] = []
    target = "/identities?maxPageSize=1000"
    while target:
        page = client.call("GET", target).json
        found += [row["id"] for row in page["value"]]
        target = page.get("nextLink", "").removeprefix(client.server.endpoint)
    return sorted(found)
