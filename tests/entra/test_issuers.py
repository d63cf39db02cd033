"""An issuer over the network: found by its document, kept through failures, refusing nobody while it is silent."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest

from tests.support.provider import OTHER_TENANT, TENANT, Provider, another_key, running_provider
from watchword.client.key_sets import MAXIMUM_AGE, UNKNOWN_KEY_PAUSE
from watchword.entra.issuers import Issuers
from watchword.entra.remote_issuer import DISCOVERY, LARGEST_DISCOVERY_BYTES, RemoteIssuer
from watchword.errors import InvalidToken, IssuerUnavailable, OperatorError
from watchword.testing import MovableClock


class Steady:
    """Seconds that pass when a test says so."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@contextlib.asynccontextmanager
async def following(provider: Provider, steady: Steady, *, tenants: tuple[str, ...] = ()) -> AsyncIterator[Issuers]:
    issuer = RemoteIssuer(provider.address, provider.clock, of_tenants=bool(tenants), steady=steady)
    task = asyncio.create_task(issuer.follow())
    try:
        yield Issuers([issuer], tenants, provider.clock)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def steady() -> Steady:
    return Steady()


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    with running_provider(MovableClock()) as running:
        yield running


async def check_of(issuers: Issuers, token: str) -> str:
    with pytest.raises(InvalidToken) as refused:
        await issuers.verify(token)
    return refused.value.check


async def test_keys_are_asked_for_once_and_kept(provider: Provider, steady: Steady) -> None:
    async with following(provider, steady) as issuers:
        await asyncio.gather(*(issuers.verify(provider.token()) for _ in range(20)))
        assert provider.asked == [DISCOVERY, "/keys"]


async def test_last_good_keys_serve_while_the_issuer_is_down_and_not_for_ever(
    provider: Provider, steady: Steady
) -> None:
    async with following(provider, steady) as issuers:
        await issuers.verify(provider.token())
        provider.fail()
        steady.seconds += MAXIMUM_AGE.total_seconds()
        assert (await issuers.verify(provider.token())).tenant == TENANT
        steady.seconds += 1
        with pytest.raises(IssuerUnavailable) as silent:
            await issuers.verify(provider.token())
        assert silent.value.issuer == provider.address
        provider.publish(provider.key)
        steady.seconds += UNKNOWN_KEY_PAUSE.total_seconds()
        with pytest.raises(InvalidToken):
            await issuers.verify(provider.token(key=another_key()))
        await issuers.verify(provider.token())


async def test_an_issuer_that_was_never_heard_of_refuses_nobody(provider: Provider, steady: Steady) -> None:
    provider.fail()
    async with following(provider, steady) as issuers:
        with pytest.raises(IssuerUnavailable):
            await issuers.verify(provider.token())


async def test_a_new_key_is_fetched_at_once_and_a_storm_of_invented_ones_is_not(
    provider: Provider, steady: Steady
) -> None:
    newer = another_key()
    async with following(provider, steady) as issuers:
        await issuers.verify(provider.token())
        provider.publish(provider.key, newer)
        await issuers.verify(provider.token(key=newer))
        asked = len(provider.asked)
        for _ in range(20):
            assert await check_of(issuers, provider.token(key=another_key())) == "key"
        assert len(provider.asked) == asked
        steady.seconds += UNKNOWN_KEY_PAUSE.total_seconds()
        await asyncio.gather(*(check_of(issuers, provider.token(key=another_key())) for _ in range(20)))
        assert len(provider.asked) == asked + 2


async def test_an_unknown_key_of_an_issuer_that_is_down_is_not_called_wrong(provider: Provider, steady: Steady) -> None:
    async with following(provider, steady) as issuers:
        await issuers.verify(provider.token())
        provider.fail()
        with pytest.raises(IssuerUnavailable):
            await issuers.verify(provider.token(key=another_key()))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"issuer":"x"}',
        b'{"issuer":"x","jwks_uri":"http://elsewhere.example/keys"}',
        b'{"issuer":"x","jwks_uri":"file:///keys"}',
        b'{"issuer":"x","jwks_uri":"https://user@elsewhere.example/keys"}',
        b'{"issuer":"x","jwks_uri":"/keys"}',
        b"[" * 50_000,
        b'{"issuer":"' + b"x" * LARGEST_DISCOVERY_BYTES + b'","jwks_uri":"https://elsewhere.example/"}',
    ],
)
async def test_a_document_that_leads_nowhere_safe_is_none(provider: Provider, steady: Steady, document: bytes) -> None:
    provider.documents[DISCOVERY] = document
    async with following(provider, steady) as issuers:
        with pytest.raises(IssuerUnavailable):
            await issuers.verify(provider.token())
        assert "/keys" not in provider.asked


async def test_one_document_for_all_tenants_counts_for_those_that_are_named(provider: Provider, steady: Steady) -> None:
    template = {"issuer": f"{provider.address}/{{tenantid}}/v2.0", "jwks_uri": f"{provider.address}/keys"}
    provider.documents[DISCOVERY] = json.dumps(template).encode()

    def token(tenant: str, named: str) -> str:
        return provider.token(iss=f"{provider.address}/{named}/v2.0", tid=tenant)

    async with following(provider, steady, tenants=(TENANT,)) as issuers:
        await issuers.verify(token(TENANT, TENANT))
        assert await check_of(issuers, token(OTHER_TENANT, OTHER_TENANT)) == "tenant"
        assert await check_of(issuers, token(TENANT, OTHER_TENANT)) == "issuer"
    async with following(provider, steady) as issuers:
        assert await check_of(issuers, token(TENANT, TENANT)) == "issuer"


async def test_of_several_issuers_each_vouches_for_its_own_only(provider: Provider, steady: Steady) -> None:
    with running_provider(provider.clock) as other:
        other.key = another_key()
        other.publish(other.key)
        both = [RemoteIssuer(each.address, provider.clock, steady=steady) for each in (provider, other)]
        tasks = [asyncio.create_task(each.follow()) for each in both]
        issuers = Issuers(both, (), provider.clock)
        await issuers.verify(provider.token())
        await issuers.verify(other.token())
        assert await check_of(issuers, provider.token(key=other.key)) == "key"
        assert await check_of(issuers, other.token(iss=provider.name)) == "key"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize(
    "address", ["http://login.example/tenant", "login.example", "ftp://login.example", "", "https://a@b/", "https://"]
)
async def test_an_address_that_anybody_on_the_way_could_answer_for_is_refused(address: str) -> None:
    with pytest.raises(OperatorError):
        RemoteIssuer(address, MovableClock())


@pytest.mark.parametrize("leeway", [59, -59])
async def test_clocks_may_differ_a_little(provider: Provider, steady: Steady, leeway: int) -> None:
    now = provider.clock.micros() // 1_000_000
    async with following(provider, steady) as issuers:
        await issuers.verify(provider.token(exp=now + 1 - abs(leeway), nbf=now + leeway))
        assert await check_of(issuers, provider.token(exp=now - 61)) == "expiry"
        assert await check_of(issuers, provider.token(nbf=now + 62)) == "expiry"
