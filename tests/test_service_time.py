"""Service time: what is due for a resource goes by the time of the call, and reaches no other resource's time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from tests.support.clock import stopped_clock
from tests.support.engines import Place
from watchword.clock import ServiceClock
from watchword.ground import Ground, open_ground
from watchword.http.forwarded import Origins
from watchword.identity.access_tokens import AccessTokens, IssuedToken
from watchword.identity.identities import Identities
from watchword.identity.last_tokens import LastTokens
from watchword.identity.store import IdentityStore
from watchword.measurements import Measurements
from watchword.resources.first_resource import FirstResource
from watchword.resources.store import Resource, list_resources
from watchword.rest.call import Call, RawAnswer
from watchword.rest.callers import EVERYTHING, Caller
from watchword.rest.opening import open_doors
from watchword.rest.request import Request
from watchword.tokens.claims import Claims
from watchword.tokens.verifier import read_signed
from watchword.verification.opening import open_verification
from watchword.wire import verification as wire

AHEAD = timedelta(hours=2) // timedelta(microseconds=1)


class Ahead(ServiceClock):
    """The first resource lives two hours ahead."""

    def at(self, machine_micros: int, resource: int | None) -> int:
        return machine_micros + (AHEAD if resource == 1 else 0)


@pytest.fixture
async def ground(place: Place) -> AsyncIterator[Ground]:
    clock, measured = stopped_clock(), Measurements()
    async with AsyncExitStack() as opened:
        first = FirstResource("watchword", "europe")
        made = await open_ground(opened, place.settings, place.folder, first=first, clock=clock, measured=measured)
        yield replace(made, service_clock=Ahead(clock))


async def _issue(ground: Ground) -> tuple[Resource, IssuedToken, Claims]:
    [resource] = await ground.database.transact(list_resources)
    store = IdentityStore(ground.database)
    identities = Identities(
        store,
        ground.feed,
        ground.minter,
        clock=ground.clock,
        reading_clock=ground.reading_clock,
        clock_watch=ground.clock_watch,
    )
    tokens = AccessTokens(
        ground.keyring,
        ground.issuers,
        LastTokens(store),
        clock=ground.clock,
        service_clock=ground.service_clock,
        clock_watch=ground.clock_watch,
    )
    identity, _ = await identities.create(resource, now_micros=ground.service_clock.micros(resource.number))
    issued = await tokens.issue(resource, None, identity, scopes=["chat"], minutes=60)
    return resource, issued, read_signed(issued.token, await ground.keyring.key_set()).claims


async def test_a_token_expires_by_the_time_of_its_resource_and_is_stamped_by_the_machines(ground: Ground) -> None:
    now = ground.clock.micros()
    _, issued, claims = await _issue(ground)
    assert issued.expires_micros == now + AHEAD + 3_600_000_000
    assert claims.exp == (now + AHEAD) // 1_000_000 + 3_600
    assert (claims.iat, claims.iatMicros) == (now // 1_000_000, now)


async def test_the_future_of_a_resource_reaches_neither_issue_times_nor_another_resource(ground: Ground) -> None:
    await _issue(ground)
    assert ground.issue_clock.last == ground.clock.micros()
    assert ground.service_clock.micros(2) == ground.service_clock.micros(None) == ground.clock.micros()


async def test_introspection_goes_by_the_time_of_the_call(ground: Ground) -> None:
    resource, issued, _ = await _issue(ground)

    async def introspect(now: int) -> Any:
        body = urlencode({"token": issued.token}).encode()
        request = Request("POST", "/introspect", {}, {}, "http://localhost", None, body)
        service = open_verification(ground, open_doors(ground, Origins("", ())))
        [binding] = [each for each in service.bindings if each.operation is wire.INTROSPECT]
        caller = Caller(resource, EVERYTHING, "somebody")
        answer = await binding.function(Call(binding.operation, "", request, caller, {}, now))
        assert isinstance(answer, RawAnswer)
        return msgspec.json.decode(answer.body)["active"]

    assert await introspect(issued.expires_micros - 1_000_000)
    assert not await introspect(issued.expires_micros)
