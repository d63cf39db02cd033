"""Neither a session id nor a ticket nor a token ever reaches the log."""

from __future__ import annotations

import json
import logging

import pytest

from tests.support.engines import FreshSettings
from tests.support.realtime_clients import RealtimeWorld
from tests.support.signed import SignedClient
from watchword.testing import running_server


def test_no_session_id_ticket_or_token_is_logged(
    fresh_settings: FreshSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        running_server(fresh_settings(request_log=True)) as server,
        SignedClient(server) as client,
    ):
        world = RealtimeWorld(server, client)
        ben = world.user()
        of_ben = world.realtime(ben)
        allocated = of_ben.allocate().json
        sid = of_ben.begin(allocated).body.decode().partition(":")[0]
        with of_ben.connected(sid, of_ben.query(allocated)) as socket:
            # Frames that are not whole are the library's affair.
            socket.connection.send(["5:1+::", '{"name":"sec', 'retive"}'])
            assert socket.frame() == "6:::1+[]"
        assert of_ben.status(sid, of_ben.query(allocated)) == 401
        assert of_ben.ask("GET", f"/socket.io/1/websocket/{sid}x").status == 426
        assert of_ben.ask("DELETE", f"/v3/registrations/{of_ben.epid}").status == 202
    lines = [
        line for record in caplog.records if record.name == "watchword.requests" for line in record.message.split("\n")
    ]
    operations = {json.loads(line).get("operation") for line in lines}
    assert {"Realtime_Allocate", "Realtime_Begin", "Realtime_Connect", "Realtime_Unregister"} <= operations
    # The test's own client is in the same process.
    everything = "\n".join(
        f"{record.name} {record.getMessage()}"
        for record in caplog.records
        if not record.name.startswith("websockets.client")
    )
    for secret in (sid, allocated["connectparams"]["sig"], ben.token, of_ben.epid, allocated["ccid"], "retive"):
        assert secret not in everything
