"""A supervisor of a release before 0.3 finds its processes, when a reload follows `pip install` of this one."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import msgspec

from tests.support.process_tree import linux_only
from watchword.files import Process
from watchword.http.sockets import bind
from watchword.resources.first_resource import FirstResource
from watchword.server.child import Child
from watchword.server.listener import opened_application
from watchword.server.orders import Orders
from watchword.settings import Settings
from watchword.storage.sqlite_messages import SOCKET_NAME

ENDPOINT = "http://localhost:8443"
PATIENCE = timedelta(seconds=30)


@linux_only
async def test_supervisor_of_an_earlier_release_starts_the_processes_of_this_one_by_the_names_that_it_knows(
    tmp_path: Path,
) -> None:
    settings = Settings(tls=False, request_log=False, workers=2)
    data, folder = tmp_path / "data", tmp_path / "w"
    folder.mkdir()
    async with opened_application(settings, data, FirstResource("first", settings.data_location), endpoint=ENDPOINT):
        """The supervisor prepares the data."""
    [listening] = bind(("127.0.0.1",), 0)
    with listening, socket.socket(socket.AF_UNIX) as for_workers:
        for_workers.bind(str(folder / SOCKET_NAME))
        for_workers.listen()
        orders = Orders(Process("writer-1", folder), "serve", settings, data, ENDPOINT, (for_workers.fileno(),))
        assert msgspec.json.decode(orders.encode())["worker"] == {"name": "writer-1", "folder": str(folder)}, (
            "their word"
        )
        writer = await Child.launch("watchword.cli.writer", orders)
        theirs = msgspec.structs.replace(orders, process=Process("worker-2", folder), sockets=(listening.fileno(),))
        worker = await Child.launch("watchword.cli.worker", theirs)
        assert await worker.end(PATIENCE)
        assert await writer.end(PATIENCE)
