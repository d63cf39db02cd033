"""Signing keys rotate while tokens are issued and verified elsewhere: not one refusal."""

from __future__ import annotations

import re
import time
from collections import Counter

import httpx2
import pytest

from tests.support.data import add_verifier, first_resource
from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.client import TokenVerifier, VerifierCredential
from watchword.clock import SystemClock
from watchword.testing import RunningServer
from watchword.tokens import InvalidToken, KeySet, NothingRevoked, Verifier, key_id


class Patient:
    """A verifier of another make: it keeps a key set for exactly as long as it may, whatever it does not know."""

    def __init__(self, server: RunningServer) -> None:
        self._http = httpx2.Client(base_url=server.endpoint, verify=server.client_tls())
        self._fresh_until = 0.0
        self._verifier = Verifier(KeySet(()), NothingRevoked(), SystemClock())

    def verify(self, token: str) -> None:
        if time.monotonic() >= self._fresh_until:
            asked = time.monotonic()
            reply = self._http.get("/.well-known/jwks.json").raise_for_status()
            max_age = re.search(r"max-age=(\d+)", reply.headers["cache-control"])
            assert max_age
            self._verifier.keys = KeySet.from_json(reply.content)
            self._fresh_until = asked + int(max_age[1])
        self._verifier.verify(token)

    def close(self) -> None:
        self._http.close()


@pytest.mark.parametrize(
    ("seconds", "lifetime", "ahead", "rotations"),
    [
        pytest.param(6.0, 0.8, 2.0, 3, id="short"),
        pytest.param(60.0, 5.0, 5.0, 10, id="a-minute", marks=pytest.mark.soak),
    ],
)
def test_not_one_refusal_while_signing_keys_rotate(
    seconds: float, lifetime: float, ahead: float, rotations: int, fresh_settings: FreshSettings
) -> None:
    settings = fresh_settings(tls=True, key_lifetime=lifetime, key_publish_ahead=ahead)
    signed_by: Counter[str] = Counter()
    refused: list[str] = []
    with running_server(settings) as server, SignedClient(server) as client:
        credential = VerifierCredential(add_verifier(server, first_resource(server)))
        identity = client.new_identity()
        patient = Patient(server)
        with TokenVerifier(server.endpoint, credential, verify=server.client_tls()) as verifier:
            first = client.new_token(identity)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                token = client.new_token(identity)
                signed_by[key_id(token)] += 1
                for each in (verifier, patient):
                    # The first token of all is as good as the newest one.
                    for shown in (token, first):
                        try:
                            each.verify(shown)
                        except InvalidToken as error:
                            refused.append(f"{type(each).__name__}: {error}")
        patient.close()
    assert refused == []
    assert len(signed_by) > rotations
    assert sum(signed_by.values()) > 10 * seconds
