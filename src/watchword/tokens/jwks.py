"""The public half of the keys that sign tokens: JSON Web Keys and sets of them (RFC 7517, RFC 8037).

{"keys": [{"kty": "EC", "crv": "P-256", "x": "...", "y": "...", "kid": "...", "use": "sig", "alg": "ES256"}]}
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

_ES256_HALF_BYTES = 32
_RSA_LEAST_BITS = 2_048
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)
_PADDING = ("", "", "==", "=")
_LAST = ("", "", "AQgw", "AEIMQUYcgkosw048")
"""By the number of characters above a multiple of four: those of the last character's bits that count."""


class Jwk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One key as it is published; which of the fields after `use` are there depends on `kty`."""

    kty: str
    kid: str = ""
    alg: str = ""
    use: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""
    key_ops: tuple[str, ...] | None = None


class _JwkSet(msgspec.Struct, frozen=True):
    keys: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key, bound to the one algorithm that it may verify."""

    kid: str
    algorithm: str
    public_key: PublicKey

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's over the message; the algorithm is the key's, never the message's."""
        try:
            match self.public_key:
                case ec.EllipticCurvePublicKey() as key:
                    if len(signature) != 2 * _ES256_HALF_BYTES:
                        return False
                    r = int.from_bytes(signature[:_ES256_HALF_BYTES], "big")
                    s = int.from_bytes(signature[_ES256_HALF_BYTES:], "big")
                    key.verify(utils.encode_dss_signature(r, s), message, _ECDSA)
                case rsa.RSAPublicKey() as key:
                    key.verify(signature, message, padding.PKCS1v15(), _SHA256)
                case ed25519.Ed25519PublicKey() as key:
                    key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class KeySet:
    """The keys that verify, by key id. Immutable: a newer set replaces an older one whole."""

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self._keys = {key.kid: key for key in keys}

    def __iter__(self) -> Iterator[VerificationKey]:
        return iter(self._keys.values())

    def find(self, kid: str) -> VerificationKey | None:
        return self._keys.get(kid)

    def to_json(self) -> bytes:
        return msgspec.json.encode({"keys": [to_jwk(key) for key in self._keys.values()]})

    @classmethod
    def from_json(cls, text: bytes) -> KeySet:
        """The keys of a published set that Watchword can use; others are left out (RFC 7517, section 5).

        A key id that two different keys share names neither: which of them is meant cannot be told.

        Raises:
            ValueError: not a key set.
        """
        found: dict[str, VerificationKey] = {}
        ambiguous: set[str] = set()
        for raw in msgspec.json.decode(text, type=_JwkSet).keys:
            key = _read_jwk(raw)
            if key is not None and found.setdefault(key.kid, key) != key:
                ambiguous.add(key.kid)
        return cls(key for key in found.values() if key.kid not in ambiguous)


def to_jwk(key: VerificationKey) -> Jwk:
    """The key as it is published."""
    fields: dict[str, Any]
    match key.public_key:
        case ec.EllipticCurvePublicKey() as public:
            point = public.public_numbers()
            fields = {"kty": "EC", "crv": "P-256", "x": _encode_number(point.x, 32), "y": _encode_number(point.y, 32)}
        case rsa.RSAPublicKey() as public:
            numbers = public.public_numbers()
            fields = {"kty": "RSA", "n": _encode_number(numbers.n), "e": _encode_number(numbers.e)}
        case ed25519.Ed25519PublicKey() as public:
            raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
            fields = {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(raw)}
    return Jwk(**fields, kid=key.kid, alg=key.algorithm, use="sig")


def from_jwk(jwk: Jwk) -> VerificationKey | None:
    """The key, or None where it is of a kind, a use or an algorithm that Watchword does not verify with.

    Raises:
        ValueError: it is of such a kind, but its numbers are no key, or a weak one.
    """
    if jwk.use not in ("", "sig") or "verify" not in (jwk.key_ops or ("verify",)) or not jwk.kid:
        return None
    match (jwk.kty, jwk.crv, jwk.alg):
        case ("EC", "P-256", "" | "ES256"):
            x, y = decode_base64url(jwk.x), decode_base64url(jwk.y)
            if len(x) != _ES256_HALF_BYTES or len(y) != _ES256_HALF_BYTES:
                raise ValueError("a coordinate of P-256 has 32 bytes (RFC 7518, section 6.2.1)")
            point = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), ec.SECP256R1())
            # Raises where the point is not on the curve.
            return VerificationKey(jwk.kid, "ES256", point.public_key())
        case ("RSA", "", "" | "RS256"):
            n, e = (int.from_bytes(decode_base64url(part), "big") for part in (jwk.n, jwk.e))
            _require_strong(n)
            return VerificationKey(jwk.kid, "RS256", rsa.RSAPublicNumbers(e, n).public_key())
        case ("OKP", "Ed25519", "" | "EdDSA"):
            public = ed25519.Ed25519PublicKey.from_public_bytes(decode_base64url(jwk.x))
            return VerificationKey(jwk.kid, "EdDSA", public)
    return None


def _read_jwk(raw: msgspec.Raw) -> VerificationKey | None:
    try:
        return from_jwk(msgspec.json.decode(raw, type=Jwk))
    except (ValueError, UnsupportedAlgorithm):
        # One key that is none must not take all others down with it.
        return None


def _require_strong(modulus: int) -> None:
    """Refuse a modulus that others can factor.

    Raises:
        ValueError: too small, or made by the flawed library of CVE-2017-15361, so that its factors can be computed.
    """
    if modulus.bit_length() < _RSA_LEAST_BITS:
        raise ValueError(f"an RSA key has at least {_RSA_LEAST_BITS} bits (RFC 7518, section 3.3)")
    if all(modulus % prime in powers for prime, powers in _roca_remainders()):
        raise ValueError("the RSA key is one of CVE-2017-15361")


@cache
def _roca_remainders() -> list[tuple[int, frozenset[int]]]:
    """Modulo every small prime, the moduli of that library are powers of 65537; hardly any others are."""
    primes = [number for number in range(3, 168) if all(number % divisor for divisor in range(2, number))]
    return [(prime, frozenset(pow(65_537, power, prime) for power in range(prime))) for prime in primes]


def thumbprint(public_key: PublicKey) -> str:
    """The key id that we give a key: its RFC 7638 thumbprint in base64url."""
    jwk = to_jwk(VerificationKey("", "", public_key))
    required = {name: value for name in ("crv", "e", "kty", "n", "x", "y") if (value := getattr(jwk, name))}
    return encode_base64url(hashlib.sha256(msgspec.json.encode(required)).digest())


def encode_base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Strict: the URL-safe alphabet, no padding, and one spelling only for each value (RFC 7515, section 2).

    Raises:
        ValueError: anything else. A lax decoder would accept many spellings of one signature.
    """
    over = len(text) % 4
    # The library takes the other alphabet and padding too; and the last character may have bits to spare.
    if (over and text[-1] not in _LAST[over]) or "+" in text or "/" in text or "=" in text:
        raise ValueError("not canonical base64url")
    return base64.b64decode(text + _PADDING[over], altchars=b"-_", validate=True)


def _encode_number(number: int, length: int | None = None) -> str:
    return encode_base64url(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))
