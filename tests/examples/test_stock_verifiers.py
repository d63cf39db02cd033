"""Stock JWT libraries against a real server, as docs/howto/verify-a-token-elsewhere.md has them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest

from tests.examples.stock_verifiers import LIBRARIES, StockVerifier, stock_verifier
from tests.support.data import OtherResource, add_resource, with_keyring
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.keyring import signing_keys
from watchword.keyring.lifecycle import Schedule
from watchword.settings import Settings
from watchword.testing import MovableClock, RunningServer
from watchword.tokens.jwks import KeySet, decode_base64url, encode_base64url

CREATE = "/identities?api-version=2023-10-01"
AHEAD_SECONDS = 6.0
REQUESTS = 200


@dataclass(frozen=True)
class World:
    """A server with two resources, and who issues tokens of either."""

    server: RunningServer
    client: SignedClient
    other: OtherResource
    resource: str
    expired: str

    def new_token(self, key: bytes | None = None) -> str:
        body = b'{"createTokenWithScopes":["chat"]}'
        reply = self.client.call("POST", CREATE, body, **({"key": key} if key else {}))
        assert reply.status == 201, reply
        return str(reply.json["accessToken"]["token"])

    def rotate(self, ahead: float) -> None:
        at_once = ahead == 0
        schedule = Schedule(None, timedelta(seconds=ahead))
        with_keyring(self.server, schedule, lambda work, keyring: signing_keys.rotate(work, keyring, at_once=at_once))


def claims_of(token: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(decode_base64url(token.split(".")[1]))
    return found


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    clock = MovableClock()
    clock.move(-timedelta(hours=2))
    settings = Settings(request_log=False, tls=False, key_lifetime=0, key_publish_ahead=AHEAD_SECONDS)
    with running_server(settings, clock=clock) as server, SignedClient(server) as client:
        body = b'{"createTokenWithScopes":["chat"],"expiresInMinutes":60}'
        expired = client.call("POST", CREATE, body).json["accessToken"]["token"]
        clock.move(timedelta(hours=2))
        resource = str(claims_of(expired)["resourceId"])
        yield World(server, client, add_resource(server, "other"), resource, expired)


@pytest.fixture(scope="module", params=LIBRARIES)
def verifier(
    request: pytest.FixtureRequest, world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StockVerifier]:
    folder = tmp_path_factory.mktemp("stock")
    with stock_verifier(request.param, folder, world.server.endpoint, world.resource) as verifier:
        yield verifier


def test_a_good_token_is_accepted(verifier: StockVerifier, world: World) -> None:
    token = world.new_token()
    assert verifier.verify(token) == f"good {claims_of(token)['skypeid']}"


def test_forged_tokens_are_refused(verifier: StockVerifier, world: World) -> None:
    token = world.new_token()
    header, payload, signature = token.split(".")
    claims = claims_of(token)
    longer = encode_base64url(json.dumps(claims | {"exp": int(str(claims["exp"])) + 1}).encode())
    unsigned = encode_base64url(b'{"alg":"none","typ":"JWT"}')
    kid = json.loads(decode_base64url(header))["kid"]
    symmetric = encode_base64url(json.dumps({"alg": "HS256", "kid": kid, "typ": "JWT"}).encode())
    key_set = httpx2.get(f"{world.server.endpoint}/.well-known/jwks.json").content
    made = hmac.digest(key_set, f"{symmetric}.{payload}".encode(), hashlib.sha256)
    forged = {
        "tampered": f"{header}.{longer}.{signature}",
        "none": f"{unsigned}.{payload}.",
        "key confusion": f"{symmetric}.{payload}.{encode_base64url(made)}",
        "nothing": "no.token.atall",
    }
    said = {name: verifier.verify(each).partition(" ")[0] for name, each in forged.items()}
    assert said == dict.fromkeys(forged, "refused")


def test_an_expired_token_is_refused(verifier: StockVerifier, world: World) -> None:
    assert verifier.verify(world.expired).startswith("refused ")


def test_a_token_of_another_resource_is_refused(verifier: StockVerifier, world: World) -> None:
    token = world.new_token(world.other.key)
    assert claims_of(token)["iss"] == world.server.endpoint
    assert verifier.verify(token).startswith("refused ")


def test_the_discovery_document_names_the_issuer_of_the_tokens(world: World) -> None:
    found = httpx2.get(f"{world.server.endpoint}/.well-known/openid-configuration").json()
    assert found["issuer"] == claims_of(world.new_token())["iss"] == world.server.endpoint
    keys = KeySet.from_json(httpx2.get(found["jwks_uri"]).content)
    assert found["id_token_signing_alg_values_supported"] == sorted({key.algorithm for key in keys})


def test_a_rotation_on_schedule_is_noticed_by_no_verifier(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ExitStack() as opened:
        verifiers = {}
        for library in LIBRARIES:
            folder = tmp_path_factory.mktemp("rotation")
            with_library = stock_verifier(library, folder, world.server.endpoint, world.resource)
            try:
                verifiers[library] = opened.enter_context(with_library)
            except pytest.skip.Exception:
                continue
        first = world.new_token()
        for verifier in verifiers.values():
            assert verifier.verify(first).startswith("good ")
        world.rotate(AHEAD_SECONDS)
        kids = set()
        for number in range(REQUESTS):
            # Spread over the rotation: what happens between two requests is what is tested.
            time.sleep(AHEAD_SECONDS * 1.2 / REQUESTS)
            token = world.new_token()
            kids.add(token.partition(".")[0])
            for library, verifier in verifiers.items():
                assert verifier.verify(token).startswith("good "), (library, number)
        assert len(kids) == 2


def test_a_forced_rotation_is_refused_until_the_keys_are_fetched(verifier: StockVerifier, world: World) -> None:
    assert verifier.verify(world.new_token()).startswith("good ")
    world.rotate(0)
    token, until = world.new_token(), time.monotonic() + 10
    while not verifier.verify(token).startswith("good "):
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_revoked_key_is_accepted_until_the_keys_are_fetched(verifier: StockVerifier, world: World) -> None:
    revoked = world.new_token()
    until = time.monotonic() + 10
    while not verifier.verify(revoked).startswith("good "):
        assert time.monotonic() < until
        time.sleep(0.2)
    kid = json.loads(decode_base64url(revoked.partition(".")[0]))["kid"]
    schedule = Schedule(None, timedelta(seconds=AHEAD_SECONDS))
    with_keyring(world.server, schedule, lambda work, keyring: signing_keys.revoke(work, keyring, kid))
    assert verifier.verify(revoked).startswith("good ")
    fresh, until = world.new_token(), time.monotonic() + 10
    while not verifier.verify(fresh).startswith("good "):
        assert time.monotonic() < until
        time.sleep(0.2)
    assert verifier.verify(revoked).startswith("refused ")
