"""Key sets: what is left out of a published one, and why."""

import json
from typing import Any

import msgspec
import pytest

from tests.support.tokens import EDDSA, ES256, KEYS, RS256, claims
from watchword.errors import InvalidToken
from watchword.tokens.issuer import SigningKey, new_signing_key, sign
from watchword.tokens.jwks import Jwk, KeySet, from_jwk, to_jwk
from watchword.tokens.verifier import read_signed

OTHER = new_signing_key("ES256")


def _jwk(key: SigningKey = ES256, **changed: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(to_jwk(key.verification_key())) | changed
    return {name: value for name, value in found.items() if value is not ...}


def _key_set(*jwks: Any) -> KeySet:
    return KeySet.from_json(json.dumps({"keys": jwks}).encode())


@pytest.mark.parametrize("key", [ES256, RS256, EDDSA], ids=lambda key: key.algorithm)
def test_a_published_key_verifies_what_its_private_half_signed(key: SigningKey) -> None:
    assert read_signed(sign(claims(), key), KeySet.from_json(KEYS.to_json())).key.kid == key.kid


@pytest.mark.parametrize(
    "unusable",
    [
        _jwk(use="enc"),
        _jwk(key_ops=["encrypt"]),
        _jwk(kid=...),
        _jwk(kid=7),
        _jwk(alg="ES384"),
        _jwk(crv="P-384"),
        _jwk(crv="secp256k1"),
        _jwk(kty="RSA"),
        _jwk(x="AA"),
        _jwk(x=...),
        _jwk(x=_jwk()["y"], y=_jwk()["x"]),
        _jwk(y=_jwk(OTHER)["y"]),
        _jwk(x=_jwk()["x"] + "="),
        _jwk(RS256, n=_jwk(RS256)["n"][:170]),
        _jwk(RS256, e="AQ"),
        _jwk(RS256, e="Ag"),
        _jwk(RS256, alg="RS512"),
        _jwk(EDDSA, x="AA"),
        _jwk(EDDSA, crv="X25519"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": ES256.kid, "alg": "HS256"},
        {"kid": ES256.kid},
        "no key at all",
        None,
    ],
)
def test_a_key_that_is_unknown_weak_or_broken_is_left_out_and_takes_no_other_with_it(unusable: Any) -> None:
    keys = _key_set(unusable, _jwk(OTHER))
    assert keys.find(OTHER.kid) is not None
    assert keys.find(ES256.kid) is None
    assert keys.find(RS256.kid) is None
    assert keys.find("") is None


def test_a_key_id_of_two_different_keys_names_neither() -> None:
    keys = _key_set(_jwk(), _jwk(OTHER, kid=ES256.kid), _jwk())
    with pytest.raises(InvalidToken, match="not in the key set"):
        read_signed(sign(claims(), ES256), keys)


def test_the_same_key_twice_is_one_key() -> None:
    assert read_signed(sign(claims(), ES256), _key_set(_jwk(), _jwk())).key.kid == ES256.kid


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b"<html>", b"\xff"])
def test_what_is_no_key_set_is_refused_whole(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own, and it says what is wrong.
        KeySet.from_json(text)


def test_a_point_off_the_curve_is_no_key() -> None:
    with pytest.raises(ValueError, match=r"curve|point"):
        from_jwk(Jwk(kty="EC", crv="P-256", kid="k", x="A" * 43, y="A" * 43))
