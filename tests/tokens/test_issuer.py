"""Tokens as their oldest readers must be able to read them. Observed: identity.md section 4.3."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tokens import EDDSA, KEYS, claims
from watchword.tokens.issuer import sign
from watchword.tokens.scopes import ALL
from watchword.tokens.verifier import read_signed

_hex = st.text("0123456789abcdef", min_size=16, max_size=32)
_seconds = st.integers(0, 253_402_300_799 - 86_400)
_letters_and_digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


@given(
    skypeid=st.uuids().flatmap(lambda resource: st.uuids().map(lambda flake: f"acs:{resource}_{flake}")),
    seconds=_seconds,
    minutes=st.integers(60, 1_440),
    micros=_seconds.map(lambda seconds: seconds * 1_000_000 + 999_999),
    scopes=st.lists(st.sampled_from(ALL), min_size=1, unique=True),
    resource=st.uuids(),
    location=st.text(_letters_and_digits, min_size=1, max_size=40),
    jti=_hex,
    generations=st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
    access_key=st.none() | _hex,
)
def test_a_payload_never_holds_a_character_in_which_the_two_alphabets_of_base64_differ(
    skypeid: str,
    seconds: int,
    minutes: int,
    micros: int,
    scopes: list[str],
    resource: object,
    location: str,
    jti: str,
    generations: tuple[int, int],
    access_key: str | None,
) -> None:
    made = claims(
        skypeid=skypeid,
        csi=str(seconds),
        iat=seconds,
        exp=seconds + minutes * 60,
        iatMicros=micros,
        acsScope=",".join(scopes),
        resourceId=str(resource),
        resourceLocation=location,
        jti=jti,
        gen=generations[0],
        resourceGen=generations[1],
        accessKey=access_key,
    )
    token = sign(made, EDDSA)
    body = token.split(".")[1]
    assert not set(body) & set("-_")
    base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    assert read_signed(token, KEYS).claims == made


@pytest.mark.parametrize("location", ["???", "~~~", "a>>>b"])
def test_a_claim_that_would_break_the_readers_is_never_signed(location: str) -> None:
    with pytest.raises(AssertionError, match="break the token's readers"):
        sign(claims(resourceLocation=location), EDDSA)
