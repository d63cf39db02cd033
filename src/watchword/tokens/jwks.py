"""The public half of the keys that sign tokens: JSON Web Keys and sets of them (RFC 7517, RFC 8037).

{"keys": [{"kty": "EC", "crv": "P-256", "x": "...", "y": "...", "kid": "...", "use": "sig", "alg": "ES256"}]}
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

_ES256_HALF_BYTES = 32
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)


class Jwk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One key as it is published; which of the middle fields are there depends on `kty`."""

    kty: str
    kid: str = ""
    alg: str = ""
    use: str = ""
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""


class _JwkSet(msgspec.Struct, frozen=True):
    keys: list[Jwk]


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

    def find(self, kid: str) -> VerificationKey | None:
        return self._keys.get(kid)

    def to_json(self) -> bytes:
        return msgspec.json.encode(_JwkSet([to_jwk(key) for key in self._keys.values()]))

    @classmethod
    def from_json(cls, text: bytes) -> KeySet:
        """The keys of a published set that Watchword can use; others are left out.

        Raises:
            ValueError: not a key set.
        """
        published = msgspec.json.decode(text, type=_JwkSet)
        return cls(key for key in map(from_jwk, published.keys) if key is not None)


def to_jwk(key: VerificationKey) -> Jwk:
    """The key as it is published."""
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
        ValueError: it is of such a kind, but its numbers are no key.
    """
    if jwk.use not in ("", "sig"):
        return None
    match (jwk.kty, jwk.crv, jwk.alg):
        case ("EC", "P-256", "" | "ES256"):
            x, y = (int.from_bytes(decode_base64url(part), "big") for part in (jwk.x, jwk.y))
            public: PublicKey = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
            return VerificationKey(jwk.kid, "ES256", public)
        case ("RSA", "", "" | "RS256"):
            n, e = (int.from_bytes(decode_base64url(part), "big") for part in (jwk.n, jwk.e))
            return VerificationKey(jwk.kid, "RS256", rsa.RSAPublicNumbers(e, n).public_key())
        case ("OKP", "Ed25519", "" | "EdDSA"):
            public = ed25519.Ed25519PublicKey.from_public_bytes(decode_base64url(jwk.x))
            return VerificationKey(jwk.kid, "EdDSA", public)
    return None


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
    value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode_base64url(value) != text:
        raise ValueError("not canonical base64url")
    return value


def _encode_number(number: int, length: int | None = None) -> str:
    return encode_base64url(number.to_bytes(length or (number.bit_length() + 7) // 8, "big"))
