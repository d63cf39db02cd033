"""Verifiers beside a service that fails them: storms, garbage, silence, redirects; on a real socket."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from tests.client.pages import key_set, page_json
from tests.support.clock import stopped_clock
from tests.support.polling import until
from tests.support.routed_server import Answer, RoutedServer, routed_server
from tests.support.scripted_server import HANG_UP, SILENCE, reply
from tests.support.steady import Steady
from tests.support.tokens import ES256, NOW_MICROS, claims
from watchword.client import (
    AsyncTokenVerifier,
    Denied,
    InvalidToken,
    TokenVerifier,
    TransportError,
    UnexpectedReply,
    VerifierCredential,
)
from watchword.client.key_sets import LARGEST_KEY_SET_BYTES, UNKNOWN_KEY_PAUSE
from watchword.clock import to_datetime
from watchword.tokens.issuer import new_signing_key, sign
from watchword.wire.verification import Revocation

JWKS = "/.well-known/jwks.json"
CREDENTIAL = VerifierCredential("wwv_0011223344556677_secret")
TOKEN = sign(claims(), ES256)
CLOCK = stopped_clock(to_datetime(NOW_MICROS))
KEYS = reply(200, key_set())


def quiet(query: str) -> bytes:
    """A feed on which nothing happens: the snapshot is empty, and every poll after it hangs."""
    return reply(200, page_json(snapshot=True)) if "since" not in query else SILENCE


def verifier(server: RoutedServer, steady: Steady | None = None) -> TokenVerifier:
    return TokenVerifier(server.endpoint, CREDENTIAL, clock=CLOCK, steady=steady or Steady())


def check(verify: Callable[[], object]) -> str:
    with pytest.raises(InvalidToken) as raised:
        verify()
    return raised.value.check


def test_a_token_is_verified_with_what_is_at_hand_and_without_a_request() -> None:
    with routed_server(well_known=KEYS, revocations=quiet) as server, verifier(server) as held:
        assert held.verify(TOKEN).scopes == {"chat", "voip"}
        until(lambda: len(server.received), lambda count: count == 3)
        for _ in range(100):
            held.verify(TOKEN)
        assert len(server.received) == 3


def test_a_storm_of_unknown_key_ids_causes_one_fetch_in_a_while() -> None:
    """GHSA-fhv5-28vv-h8m8."""
    steady = Steady()
    with routed_server(well_known=KEYS, revocations=quiet) as server, verifier(server, steady) as held:
        held.verify(TOKEN)
        assert server.count(JWKS) == 1
        storm = [sign(claims(), new_signing_key("ES256")) for _ in range(50)]
        for fetches in (2, 3):
            with ThreadPoolExecutor(8) as pool:
                assert set(pool.map(lambda token: check(lambda: held.verify(token)), storm)) == {"key"}
            assert server.count(JWKS) == fetches
            steady.pass_seconds(UNKNOWN_KEY_PAUSE.total_seconds())
        held.verify(TOKEN)


def test_a_revoked_signing_key_ends_the_pause_that_unknown_keys_began() -> None:
    new, revoked = new_signing_key("ES256"), threading.Event()

    def feed(query: str) -> bytes:
        if "since=e.1" in query and revoked.wait(10):
            return reply(200, page_json(Revocation("signingKey", ES256.kid), cursor="e.2"))
        return quiet(query.replace("since=e.1", ""))

    with routed_server(well_known=KEYS, revocations=feed) as server, verifier(server) as held:
        held.verify(TOKEN)
        invented = sign(claims(), new_signing_key("ES256"))
        assert check(lambda: held.verify(invented)) == "key"
        server.answers[JWKS] = reply(200, key_set(new))
        token = sign(claims(), new)
        assert check(lambda: held.verify(token)) == "key"
        revoked.set()
        until(lambda: held.state().revocations, bool)
        # No time has passed on the verifier's clock.
        assert held.verify(token).scopes == {"chat", "voip"}
        assert [check(lambda: held.verify(invented)) for _ in range(3)] == ["key"] * 3
        assert server.count(JWKS) == 3


def test_a_key_that_just_began_to_sign_is_fetched_once_for_all_who_need_it() -> None:
    new, begun, published = new_signing_key("ES256"), threading.Barrier(8), threading.Event()
    with routed_server(well_known=KEYS, revocations=quiet) as server, verifier(server) as held:
        held.verify(TOKEN)

        def late(_: str) -> bytes:
            assert published.wait(10)
            return reply(200, key_set(ES256, new))

        def verify(token: str) -> str:
            begun.wait(10)
            return held.verify(token).token_id

        server.answers[JWKS] = late
        tokens = [sign(claims(jti=str(number)), new) for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            verified = pool.map(verify, tokens)
            until(lambda: server.count(JWKS), lambda count: count == 2)
            published.set()
            assert set(verified) == {str(number) for number in range(8)}
        assert server.count(JWKS) == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (HANG_UP, TransportError),
        (reply(200, "<html>"), UnexpectedReply),
        (reply(200, '{"keys":[]}'), UnexpectedReply),
        (reply(302, location="/elsewhere"), UnexpectedReply),
        (reply(200, '{"keys":[' + " " * LARGEST_KEY_SET_BYTES + "]}"), TransportError),
    ],
)
def test_a_key_set_that_cannot_be_fetched_again_is_kept(answer: bytes, error: type[Exception]) -> None:
    elsewhere = reply(200, key_set(new_signing_key("ES256")))
    with routed_server(well_known=KEYS, revocations=quiet, elsewhere=elsewhere) as server, verifier(server) as held:
        held.verify(TOKEN)
        server.answers[JWKS] = answer
        assert check(lambda: held.verify(sign(claims(), new_signing_key("ES256")))) == "key"
        assert server.count(JWKS) >= 2
        assert server.count("/elsewhere") == 0
        assert isinstance(held.state().last_error, error)
        held.verify(TOKEN)


@pytest.mark.parametrize("well_known", [HANG_UP, reply(200, "{}"), reply(404)])
def test_without_a_key_set_everything_is_refused_as_stale(well_known: Answer) -> None:
    with routed_server(well_known=well_known, revocations=quiet) as server, verifier(server) as held:
        assert check(lambda: held.verify(TOKEN)) == "stale"


@pytest.mark.parametrize("feed", [HANG_UP, reply(200, "{}"), reply(503), reply(200, page_json())])
def test_without_a_feed_everything_is_refused_as_stale(feed: Answer) -> None:
    with routed_server(well_known=KEYS, revocations=feed) as server, verifier(server) as held:
        assert check(lambda: held.verify(TOKEN)) == "stale"
        state = held.state()
        assert (state.connected, state.staleness, state.revocations) == (False, None, 0)
        assert state.last_error is not None


def test_a_feed_that_refuses_the_credential_is_told_and_fails_closed() -> None:
    denied = reply(401, '{"error":{"code":"Denied","message":"Denied by the resource provider."}}')
    with routed_server(well_known=KEYS, revocations=denied) as server, verifier(server) as held:
        assert check(lambda: held.verify(TOKEN)) == "stale"
        assert isinstance(held.state().last_error, Denied)


def test_a_feed_that_falls_silent_refuses_past_the_bound_and_recovers() -> None:
    steady = Steady()
    with routed_server(well_known=KEYS, revocations=quiet) as server, verifier(server, steady) as held:
        held.verify(TOKEN)
        steady.pass_seconds(10.1)
        assert check(lambda: held.verify(TOKEN)) == "stale"
        assert held.state().staleness == timedelta(seconds=10.1)
    with routed_server(well_known=KEYS, revocations=HANG_UP) as server, verifier(server, steady) as held:
        assert check(lambda: held.verify(TOKEN)) == "stale"
        server.answers["/revocations"] = quiet
        assert until(held.state, lambda state: state.connected).last_error is None
        held.verify(TOKEN)


def test_a_snapshot_of_several_pages_is_read_to_its_end_before_anything_is_accepted() -> None:
    def pages(query: str) -> bytes:
        match query:
            case "":
                return reply(200, page_json(cursor="e.1", snapshot=True, more=True))
            case "since=e.1":
                return reply(200, page_json(Revocation("token", claims().jti), cursor="e.2"))
        return SILENCE

    with routed_server(well_known=KEYS, revocations=pages) as server, verifier(server) as held:
        assert check(lambda: held.verify(TOKEN)) == "revoked"


def test_a_closed_verifier_verifies_nothing() -> None:
    with routed_server(well_known=KEYS, revocations=quiet) as server:
        held = verifier(server)
        with held:
            held.verify(TOKEN)
        held.close()
        for act in (held.verify, held.introspect):
            with pytest.raises(RuntimeError, match="closed"):
                act(TOKEN)
        unused = verifier(server)
        unused.close()
        with pytest.raises(RuntimeError, match="closed"):
            unused.verify(TOKEN)


def test_closing_ends_what_others_wait_for() -> None:
    new = new_signing_key("ES256")
    with routed_server(well_known=KEYS, revocations=quiet) as server:
        held = verifier(server)
        held.verify(TOKEN)
        server.answers[JWKS] = SILENCE
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(held.verify, sign(claims(), new))
            until(lambda: server.count(JWKS), lambda count: count == 2)
            held.close()
            with pytest.raises(RuntimeError, match="closed"):
                waiting.result(10)


async def test_with_asyncio_a_caller_that_is_cancelled_does_not_end_the_fetch_for_the_others() -> None:
    new, published = new_signing_key("ES256"), threading.Event()

    def late(_: str) -> bytes:
        assert published.wait(10)
        return reply(200, key_set(ES256, new))

    with routed_server(well_known=KEYS, revocations=quiet) as server:
        async with AsyncTokenVerifier(server.endpoint, CREDENTIAL, clock=CLOCK, steady=Steady()) as held:
            await held.verify(TOKEN)
            server.answers[JWKS] = late
            first, second = (asyncio.create_task(held.verify(sign(claims(jti=jti), new))) for jti in "ab")
            while server.count(JWKS) < 2:
                await asyncio.sleep(0.01)
            first.cancel()
            published.set()
            assert (await second).token_id == "b"
            with pytest.raises(asyncio.CancelledError):
                await first
        assert server.count(JWKS) == 2
        with pytest.raises(RuntimeError, match="closed"):
            await held.verify(TOKEN)


@pytest.mark.parametrize("text", ["wwv_", "wwv_1_", "Bearer wwv_1_2", "c2VjcmV0", "wwv_1_2\r\nX: y", "wwv_1_é"])
def test_what_is_no_verifier_credential_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="begins with wwv_") as raised:
        VerifierCredential(text)
    assert text.removeprefix("wwv_") not in str(raised.value) or text == "wwv_"


def test_a_credential_never_leaves_the_machine_unencrypted_nor_shows_in_a_log() -> None:
    with pytest.raises(ValueError, match="https only"):
        TokenVerifier("http://watchword.example", CREDENTIAL)
    assert "secret" not in repr(CREDENTIAL)


@pytest.mark.parametrize(
    "options",
    [
        {"leeway": timedelta(hours=2)},
        {"leeway": timedelta(seconds=-1)},
        {"max_staleness": timedelta(0)},
        {"when_stale": "shrug"},
    ],
)
def test_an_option_out_of_its_bounds_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"leeway|max_staleness|when_stale"):
        TokenVerifier("https://localhost", CREDENTIAL, **options)  # type: ignore[arg-type]
