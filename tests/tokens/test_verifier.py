"""The verifier: expiry, leeway, resources, and a cache that remembers no more than that a signature was right."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.tokens import (
    ES256,
    KEYS,
    NOW_MICROS,
    NOW_SECONDS,
    RESOURCE,
    claims,
    header_of,
    payload,
    segment,
    sign_anything,
)
from watchword.clock import to_datetime
from watchword.errors import InvalidToken
from watchword.testing import MovableClock
from watchword.tokens import Claims, CutOffs, KeySet, NothingRevoked, Verifier, key_id, read_signed
from watchword.tokens.issuer import new_signing_key, sign
from watchword.tokens.jwks import decode_base64url, encode_base64url

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Changing:
    """A source of revocations that a test changes."""

    def __init__(self) -> None:
        self.now = CutOffs()
        self.asked = 0

    def cutoffs(self, claims: Claims, kid: str) -> CutOffs:
        assert (claims.resourceId, kid) == (RESOURCE, ES256.kid)
        self.asked += 1
        return self.now


@pytest.fixture
def clock() -> MovableClock:
    clock = MovableClock()
    clock.stop(to_datetime(NOW_MICROS))
    return clock


@pytest.fixture
def token() -> str:
    return sign(claims(), ES256)


def _check(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except InvalidToken as error:
        return error.check
    return "none"


def test_verify_returns_what_was_proved(clock: MovableClock, token: str) -> None:
    proved = Verifier(KEYS, NothingRevoked(), clock).verify(token)
    assert proved.identity == "8:" + claims().skypeid
    assert (proved.resource, proved.token_id) == (RESOURCE, claims().jti)
    assert proved.scopes == {"chat", "voip"}
    assert (proved.issued, proved.expires) == (clock.now(), clock.now() + timedelta(hours=1))


@pytest.mark.parametrize(
    ("leeway_seconds", "seconds_later", "check"),
    [(0, 3_599, "none"), (0, 3_600, "expiry"), (5, 3_604, "none"), (5, 3_605, "expiry")],
)
def test_expiry_is_the_second_that_the_token_names_and_leeway_comes_on_top(
    clock: MovableClock, token: str, leeway_seconds: int, seconds_later: int, check: str
) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock, leeway=timedelta(seconds=leeway_seconds))
    clock.move(timedelta(seconds=seconds_later))
    assert _check(verifier, token) == check


def test_only_tokens_of_the_named_resources_are_accepted(clock: MovableClock, token: str) -> None:
    elsewhere = Verifier(KEYS, NothingRevoked(), clock, resources=["aaaaaaaa-368b-45b4-ab52-8493fb117652"])
    here = Verifier(KEYS, NothingRevoked(), clock, resources=[RESOURCE.upper()])
    assert [_check(elsewhere, token), _check(elsewhere, token), _check(here, token)] == ["resource", "resource", "none"]


def test_a_hit_of_the_cache_checks_expiry_again(clock: MovableClock, token: str) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock)
    assert _check(verifier, token) == "none"
    clock.move(timedelta(hours=1))
    assert _check(verifier, token) == "expiry"


@pytest.mark.parametrize(
    "deadly",
    [
        CutOffs(generation=2),
        CutOffs(resource_generation=2),
        CutOffs(valid_from_micros=NOW_MICROS + 1),
        CutOffs(deleted=True),
        CutOffs(token_revoked=True),
        CutOffs(access_key_revoked=True),
        CutOffs(signing_key_revoked=True),
    ],
    ids=repr,
)
def test_a_hit_of_the_cache_checks_every_kind_of_revocation_again(
    clock: MovableClock, token: str, deadly: CutOffs
) -> None:
    source = Changing()
    verifier = Verifier(KEYS, source, clock)
    assert _check(verifier, token) == "none"
    source.now = deadly
    assert _check(verifier, token) == "revoked"
    source.now = CutOffs()
    assert _check(verifier, token) == "none"
    assert source.asked == 3


def test_a_hit_of_the_cache_checks_that_the_key_is_still_in_the_set(clock: MovableClock, token: str) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock)
    assert _check(verifier, token) == "none"
    verifier.keys = KeySet([])
    assert _check(verifier, token) == "key"


def test_a_hit_of_the_cache_is_none_when_the_key_id_names_another_key_now(clock: MovableClock, token: str) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock)
    assert _check(verifier, token) == "none"
    verifier.keys = KeySet([replace(new_signing_key("ES256").verification_key(), kid=ES256.kid)])
    assert _check(verifier, token) == "signature"


def test_the_cache_is_bounded_and_holds_no_token(clock: MovableClock) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock, cache_size=3)
    tokens = [sign(claims(jti=f"{number:032x}"), ES256) for number in range(10)]
    for token in tokens:
        verifier.verify(token)
    assert len(verifier._cache) == 3
    assert all(len(digest) == 32 for digest in verifier._cache)
    assert _check(verifier, tokens[0]) == "none"


def test_what_was_refused_is_not_remembered(clock: MovableClock, token: str) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock, resources=["aaaaaaaa-368b-45b4-ab52-8493fb117652"])
    for hostile in (token, token[:-8] + "AAAAAAAA", f"{token}.", "", "a.b.c"):
        assert _check(verifier, hostile) != "none"
    assert verifier._cache == {}


def test_a_cache_of_size_zero_remembers_nothing(clock: MovableClock, token: str) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock, cache_size=0)
    assert [_check(verifier, token), _check(verifier, token), len(verifier._cache)] == ["none", "none", 0]


def test_threads_share_a_verifier_whose_cache_is_always_full(clock: MovableClock) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock, cache_size=2)
    tokens = [sign(claims(jti=f"{number:032x}"), ES256) for number in range(6)]
    wrong: list[BaseException | str] = []

    def verify(first: int) -> None:
        try:
            for turn in range(300):
                token = tokens[(first + turn) % len(tokens)]
                if verifier.verify(token).token_id != f"{(first + turn) % len(tokens):032x}":
                    wrong.append(token)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asserts.
            wrong.append(error)

    threads = [threading.Thread(target=verify, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    # Each thread may be between making room and taking it.
    assert len(verifier._cache) <= 2 + len(threads)


def test_unknown_key_ids_cause_no_work_that_grows_ghsa_fhv5_28vv_h8m8(clock: MovableClock) -> None:
    """The server's side of the storm: an unknown key id is looked up in what is at hand, and nothing is kept of it."""
    verifier = Verifier(KEYS, Changing(), clock)
    for number in range(1_000):
        assert _check(verifier, f"{segment(header_of(kid=f'unknown {number}'))}.{segment(payload())}.AA") == "key"
    assert verifier._cache == {}


def test_the_last_of_two_equal_names_counts_as_rfc_7515_allows(clock: MovableClock) -> None:
    """Signed bytes are signed bytes; what matters is that header and claims are read by one parser only."""
    twice = f'{{"alg":"none","alg":"ES256","kid":"{ES256.kid}"}}'.encode()
    assert read_signed(sign_anything(twice, payload()), KEYS).key.kid == ES256.kid
    hidden = f'{{"alg":"ES256","kid":"{ES256.kid}","alg":"none"}}'.encode()
    assert _check(Verifier(KEYS, NothingRevoked(), clock), sign_anything(hidden, payload())) == "algorithm"


def test_the_other_form_of_an_ecdsa_signature_is_the_same_token_and_dies_with_it(clock: MovableClock) -> None:
    """(r, n - s) verifies wherever (r, s) does. So nothing is ever revoked by a token's text, only by its id."""
    head, body, signature = sign(claims(), ES256).split(".")
    raw = decode_base64url(signature)
    mirrored = raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    source = Changing()
    verifier = Verifier(KEYS, source, clock)
    twin = f"{head}.{body}.{encode_base64url(mirrored)}"
    assert verifier.verify(twin).token_id == claims().jti
    source.now = CutOffs(token_revoked=True)
    assert _check(verifier, twin) == "revoked"


def test_the_key_id_can_be_read_without_proof_for_fetching_its_key(token: str) -> None:
    assert key_id(token) == ES256.kid
    with pytest.raises(InvalidToken, match="longer"):
        key_id("x" * 9_000)
    with pytest.raises(InvalidToken, match="header"):
        key_id("no token")


def test_the_longest_lifetime_is_accepted_to_the_second(clock: MovableClock) -> None:
    longest = sign(claims(exp=NOW_SECONDS + 86_400), ES256)
    assert Verifier(KEYS, NothingRevoked(), clock).verify(longest).expires == clock.now() + timedelta(days=1)


def test_a_token_without_issuer_and_audience_is_good_as_before(clock: MovableClock) -> None:
    verifier = Verifier(KEYS, NothingRevoked(), clock, issuer="https://acs.example")
    assert verifier.verify(sign(claims(), ES256)).claims.iss is None


def test_a_token_of_another_issuer_is_refused_where_one_is_configured(clock: MovableClock) -> None:
    ours = sign(claims(iss="https://acs.example", aud=RESOURCE), ES256)
    assert Verifier(KEYS, NothingRevoked(), clock).verify(ours).claims.iss == "https://acs.example"
    configured = Verifier(KEYS, NothingRevoked(), clock, issuer="https://ACS.example/").verify(ours)
    assert configured.resource == RESOURCE
    assert _check(Verifier(KEYS, NothingRevoked(), clock, issuer="https://other.example"), ours) == "issuer"


def test_an_audience_that_is_not_the_resource_is_refused(clock: MovableClock) -> None:
    other = sign(claims(iss="https://acs.example", aud="aaaaaaaa-368b-45b4-ab52-8493fb117652"), ES256)
    assert _check(Verifier(KEYS, NothingRevoked(), clock), other) == "audience"
