"""Claims into a signed token: a JWS in compact form (RFC 7515).

base64url({"alg":"ES256","kid":"...","typ":"JWT"}) . base64url(claims) . base64url(signature)
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from binascii import b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from watchword.tokens.claims import Claims
from watchword.tokens.jwks import VerificationKey, thumbprint

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

ALGORITHMS = ("ES256", "RS256", "EdDSA")

_RSA_BITS = 2048
_SHA256 = hashes.SHA256()
_ECDSA = ec.ECDSA(_SHA256)
_PKCS1 = padding.PKCS1v15()


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, its key id and its algorithm, with what all its tokens share.

    `header` is the first segment of every token; `sign` makes the signature of its algorithm.
    """

    kid: str
    algorithm: str
    private_key: PrivateKey
    header: bytes
    sign: Callable[[bytes], bytes]

    @classmethod
    def of(cls, private_key: PrivateKey) -> SigningKey:
        algorithm, sign = _algorithm(private_key)
        kid = thumbprint(private_key.public_key())
        header = msgspec.json.encode({"alg": algorithm, "kid": kid, "typ": "JWT"})
        return cls(kid, algorithm, private_key, _segment(header), sign)

    def verification_key(self) -> VerificationKey:
        return VerificationKey(self.kid, self.algorithm, self.private_key.public_key())


def new_signing_key(algorithm: str) -> SigningKey:
    """A fresh key for one of `ALGORITHMS`."""
    match algorithm:
        case "ES256":
            return SigningKey.of(ec.generate_private_key(ec.SECP256R1()))
        case "RS256":
            return SigningKey.of(rsa.generate_private_key(65537, _RSA_BITS))
        case "EdDSA":
            return SigningKey.of(ed25519.Ed25519PrivateKey.generate())
    raise ValueError(f"no such algorithm: {algorithm}")


def sign(claims: Claims, key: SigningKey) -> str:
    """The token.

    Several official clients read the payload with the standard alphabet, strictly or by dropping what they do not
    know, so its segment must be the same in both alphabets. Observed: identity.md section 4.3. The claims hold no
    character that could break it; the assertion keeps it so.
    """
    payload = b2a_base64(msgspec.json.encode(claims), newline=False).rstrip(b"=")
    if b"+" in payload or b"/" in payload:
        raise AssertionError("a claim's characters would break the token's readers")
    message = key.header + b"." + payload
    return (message + b"." + _segment(key.sign(message))).decode("ascii")


def _algorithm(private_key: PrivateKey) -> tuple[str, Callable[[bytes], bytes]]:
    match private_key:
        case ec.EllipticCurvePrivateKey():
            return "ES256", partial(_sign_es256, private_key)
        case rsa.RSAPrivateKey():
            return "RS256", lambda message: private_key.sign(message, _PKCS1, _SHA256)
        case ed25519.Ed25519PrivateKey():
            return "EdDSA", private_key.sign


def _sign_es256(private_key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """The two numbers side by side, where the library gives DER (RFC 7518, section 3.4)."""
    r, s = utils.decode_dss_signature(private_key.sign(message, _ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _segment(value: bytes) -> bytes:
    return urlsafe_b64encode(value).rstrip(b"=")
