"""The clients that bring histories in, for whoever may manage a resource. Watchword only.

    with HistoryImports.from_connection_string(connection_string) as imports:
        imports.bring("room-17", "Lunch", records, participants=[HistoryParticipant(ada)])

Whatever ends `bring` in the middle: called again with the same, it goes on where it was, and nothing is in twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from watchword.client import history_values as history
from watchword.client.history_values import HistoryImport, HistoryParticipant, HistoryRecord
from watchword.client.resource_client import AsyncResourceClient, ResourceClient


class HistoryImports(ResourceClient):
    """Brings histories in. Safe to share between threads.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    def bring(
        self,
        id: str,
        topic: str,
        records: Iterable[HistoryRecord],
        *,
        participants: Iterable[HistoryParticipant],
        created_by: str | None = None,
        metadata: Mapping[str, str] | None = None,
        thread: str | None = None,
        unread: bool = False,
        report: Callable[[int], None] = lambda _: None,
    ) -> HistoryImport:
        """All of it, or what is missing of it. Records come in the order of time; `report` is told how many are in."""
        found = self.begin(id, topic, created_by=created_by, metadata=metadata, thread=thread)
        if found.finished is not None:
            return found
        reached = found.reached
        for batch in history.batches(islice(records, reached, None)):
            reached = self._run(history.add(id, batch, after=reached)).reached
            report(reached)
        return self.finish(id, participants, unread=unread)

    def begin(
        self,
        id: str,
        topic: str,
        *,
        created_by: str | None = None,
        metadata: Mapping[str, str] | None = None,
        thread: str | None = None,
    ) -> HistoryImport:
        """Begin a history under an id of your choice, or see how far it is. `thread` is an id for it to keep."""
        return self._run(history.begin(id, topic, created_by=created_by, metadata=metadata, thread=thread))

    def get(self, id: str) -> HistoryImport:
        """How far it is."""
        return self._run(history.get(id))

    def add(self, id: str, records: Iterable[HistoryRecord], *, after: int) -> HistoryImport:
        """Add at most 500 records that come after so many; those that are in already are passed over."""
        return self._run(history.add(id, map(history.encode, records), after=after))

    def finish(self, id: str, participants: Iterable[HistoryParticipant], *, unread: bool = False) -> HistoryImport:
        """Let them join: from now on it is a thread like all others, which counts as read unless it is `unread`."""
        return self._run(history.finish(id, participants, unread=unread))

    def give_up(self, id: str) -> None:
        """What is in of one that is not finished goes."""
        self._run(history.give_up(id))


class AsyncHistoryImports(AsyncResourceClient):
    """`HistoryImports` for asyncio, method by method.

    Raises:
        InvalidConnectionString: the endpoint is no http(s) address.
        ValueError: a bearer token would go to another machine unencrypted.
    """

    async def bring(
        self,
        id: str,
        topic: str,
        records: Iterable[HistoryRecord],
        *,
        participants: Iterable[HistoryParticipant],
        created_by: str | None = None,
        metadata: Mapping[str, str] | None = None,
        thread: str | None = None,
        unread: bool = False,
        report: Callable[[int], None] = lambda _: None,
    ) -> HistoryImport:
        found = await self.begin(id, topic, created_by=created_by, metadata=metadata, thread=thread)
        if found.finished is not None:
            return found
        reached = found.reached
        for batch in history.batches(islice(records, reached, None)):
            reached = (await self._run(history.add(id, batch, after=reached))).reached
            report(reached)
        return await self.finish(id, participants, unread=unread)

    async def begin(
        self,
        id: str,
        topic: str,
        *,
        created_by: str | None = None,
        metadata: Mapping[str, str] | None = None,
        thread: str | None = None,
    ) -> HistoryImport:
        return await self._run(history.begin(id, topic, created_by=created_by, metadata=metadata, thread=thread))

    async def get(self, id: str) -> HistoryImport:
        return await self._run(history.get(id))

    async def add(self, id: str, records: Iterable[HistoryRecord], *, after: int) -> HistoryImport:
        return await self._run(history.add(id, map(history.encode, records), after=after))

    async def finish(
        self, id: str, participants: Iterable[HistoryParticipant], *, unread: bool = False
    ) -> HistoryImport:
        return await self._run(history.finish(id, participants, unread=unread))

    async def give_up(self, id: str) -> None:
        await self._run(history.give_up(id))
