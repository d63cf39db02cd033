"""The machine's clock steps back: identifiers and issue times do not, not even across a restart."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.identity.test_issue import claims
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from watchword.testing import MovableClock

BACK = -timedelta(days=2)


def test_within_one_run_everything_carries_on(fresh_settings: FreshSettings) -> None:
    settings = fresh_settings()
    with running_server(settings) as server, SignedClient(server) as client:
        ids = [client.new_identity() for _ in range(3)]
        issued = [claims(client.new_token(ids[0]))["iatMicros"]]
        for _ in range(3):
            server.clock.move(BACK)
            ids += [client.new_identity() for _ in range(3)]
            issued.append(claims(client.new_token(ids[0]))["iatMicros"])
        assert ids == sorted(set(ids))
        assert issued == sorted(set(issued))


def test_expiry_follows_the_clock_as_it_is(fresh_settings: FreshSettings) -> None:
    settings = fresh_settings()
    with running_server(settings) as server, SignedClient(server) as client:
        id = client.new_identity()
        client.new_token(id)
        server.clock.move(BACK)
        server.clock.stop()
        said = claims(client.new_token(id))
        assert said["iat"] == int(server.clock.now().timestamp())
        assert said["iatMicros"] > said["iat"] * 1_000_000 + 24 * 3_600_000_000


@pytest.mark.parametrize("back", [timedelta(0), -timedelta(minutes=4)])
def test_a_restart_on_the_same_data_carries_on_too(
    tmp_path: Path, back: timedelta, fresh_settings: FreshSettings
) -> None:
    settings = fresh_settings()
    clock = MovableClock()
    clock.stop()
    with running_server(settings, data=tmp_path / "data", clock=clock) as server, SignedClient(server) as client:
        id = client.new_identity()
        before = claims(client.new_token(id))
    clock.move(back)
    with running_server(settings, data=tmp_path / "data", clock=clock) as server, SignedClient(server) as client:
        assert client.new_identity() > id
        after = client.new_token(id)
        assert claims(after)["iatMicros"] > before["iatMicros"]
        assert is_live(client, after)


def test_a_deleted_identity_is_not_minted_again(tmp_path: Path, fresh_settings: FreshSettings) -> None:
    settings = fresh_settings()
    clock = MovableClock()
    clock.stop()
    with running_server(settings, data=tmp_path / "data", clock=clock) as server, SignedClient(server) as client:
        id = client.new_identity()
        clock.move(BACK)
        assert client.delete(id).status == 204
    with running_server(settings, data=tmp_path / "data", clock=clock) as server, SignedClient(server) as client:
        assert client.new_identity() > id


def test_the_last_token_is_written_before_a_stop(tmp_path: Path, fresh_settings: FreshSettings) -> None:
    settings = fresh_settings()
    with running_server(settings, data=tmp_path / "data") as server, SignedClient(server) as client:
        id = client.new_identity()
        client.new_token(id)
    with running_server(settings, data=tmp_path / "data") as server, SignedClient(server) as client:
        assert "lastTokenIssuedAt" in client.get(id).json
