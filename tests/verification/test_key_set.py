"""`GET /.well-known/jwks.json`: public, cached for no longer than it holds, and cheap to ask for again."""

from __future__ import annotations

import http.client
import json
from datetime import timedelta

import pytest

from tests.support.data import with_keyring
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import Reply
from tests.verification.conftest import World
from watchword.keyring import signing_keys
from watchword.keyring.lifecycle import Schedule
from watchword.testing import RunningServer
from watchword.tokens.jwks import KeySet
from watchword.tokens.verifier import read_signed


def _get(server: RunningServer, **headers: str) -> Reply:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET", "/.well-known/jwks.json", headers=named)
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Reply(answer.status, found, answer.read())
    finally:
        connection.close()


def test_the_key_set_needs_no_credential_and_verifies_tokens(world: World) -> None:
    reply = _get(world.server)
    assert (reply.status, reply.headers["content-type"]) == (200, "application/jwk-set+json")
    assert read_signed(world.new_token(), KeySet.from_json(reply.body)).key.algorithm == "ES256"


def test_nothing_private_is_published(world: World) -> None:
    [key] = json.loads(_get(world.server).body)["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


def test_the_same_set_is_not_sent_twice(world: World) -> None:
    first = _get(world.server)
    again = _get(world.server, If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert [again.headers[name] for name in ("etag", "cache-control")] == [
        first.headers[name] for name in ("etag", "cache-control")
    ]
    weak = _get(world.server, If_None_Match=f'"other", W/{first.headers["etag"]}')
    assert (weak.status, _get(world.server, If_None_Match='"other"').status) == (304, 200)


@pytest.mark.parametrize(("ahead", "max_age"), [(3_600.0, 300), (20.0, 10), (1.0, 0), (0.0, 0)])
def test_a_set_is_cached_for_less_than_a_key_is_published_ahead(
    ahead: float, max_age: int, fresh_settings: FreshSettings
) -> None:
    settings = fresh_settings(key_publish_ahead=ahead)
    with running_server(settings) as server:
        assert _get(server).headers["cache-control"] == f"public, max-age={max_age}"
    assert max_age <= ahead / 2


def test_a_key_made_by_another_process_is_published_at_once_under_a_new_tag(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings()) as server:
        before = _get(server)
        with_keyring(server, Schedule(None, timedelta(hours=1)), signing_keys.rotate)
        after = _get(server, If_None_Match=before.headers["etag"])
        assert after.status == 200
        assert len(json.loads(after.body)["keys"]) == 2
