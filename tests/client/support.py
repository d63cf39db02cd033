"""What the tests of the client library share: both clients behind one call, and a check of what they signed."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tests.support.clock import stopped_clock
from tests.support.scripted_server import Received
from watchword.client import AccessKeyCredential, AsyncIdentityClient, IdentityClient, Retries
from watchword.wire.signature import content_hash, parse_authorization, signature

KEY = b"k" * 64
CREDENTIAL = AccessKeyCredential(base64.b64encode(KEY).decode())
USER = "8:acs:2dee53b4-368b-45b4-ab52-8493fb117652_00000005-14a2-493b-8a72-5a3a0d000081"
ENCODED_USER = USER.replace(":", "%3A")

CREATED = f'{{"identity":{{"id":"{USER}"}}}}'
TOKEN = '{"token":"eyJ.e30.x","expiresOn":"2022-10-08T14:37:48.9409653+00:00"}'
CREATED_WITH_TOKEN = f'{{"identity":{{"id":"{USER}"}},"accessToken":{TOKEN}}}'

both_clients = pytest.mark.parametrize("perform", ["blocking", "asyncio"], indirect=True)

Act = Callable[[Any], Any]


class Perform:
    """Makes a client, lets it act once, and closes it; `pauses` holds the seconds that it would have slept."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pauses: list[float] = []
        self.clock = stopped_clock()

    def __call__(self, endpoint: str, act: Act, credential: Any = CREDENTIAL, **options: Any) -> Any:
        defaults: dict[str, Any] = {"retries": Retries(jitter=lambda: 0.0), "clock": self.clock}
        options = defaults | options
        if self.kind == "asyncio":
            return asyncio.run(_act_async(AsyncIdentityClient(endpoint, credential, sleep=self._sleep, **options), act))
        return _act(IdentityClient(endpoint, credential, sleep=self.pauses.append, **options), act)

    def from_connection_string(self, text: str, act: Act) -> Any:
        if self.kind == "asyncio":
            return asyncio.run(_act_async(AsyncIdentityClient.from_connection_string(text, clock=self.clock), act))
        return _act(IdentityClient.from_connection_string(text, clock=self.clock), act)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def _act(client: IdentityClient, act: Act) -> Any:
    with client:
        outcome = act(client)
        return list(outcome) if isinstance(outcome, Iterator) else outcome


async def _act_async(client: AsyncIdentityClient, act: Act) -> Any:
    async with client:
        outcome = act(client)
        return [each async for each in outcome] if isinstance(outcome, AsyncIterator) else await outcome


def assert_signed(request: Received, key: bytes = KEY) -> None:
    """What the server sees of the request is what the client signed."""
    authorization = parse_authorization(request.headers["authorization"])
    assert authorization is not None
    assert request.headers["x-ms-content-sha256"] == content_hash(request.body)
    values = [request.headers[name] for name in authorization.signed_headers]
    assert authorization.signature == signature(key, request.method, request.target, values=values)
