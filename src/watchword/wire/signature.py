"""How Azure signs a request with an access key, for both ends of the wire.

    Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=<base64>

    POST\\n
    /identities?api-version=2023-10-01\\n
    Sat, 21 Nov 2026 01:14:27 GMT;localhost:18443;47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=

The second block is the string that is signed: the verb, the request target exactly as sent, and the values of the
signed headers in their order. Source: identity.md section 2.1, with its two test vectors.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import timedelta
from functools import lru_cache

import msgspec

SCHEME = "HMAC-SHA256"
DATE_HEADERS = ("x-ms-date", "date")
"""The newer generation of clients signs the first, the older one the second."""

CONTENT_HASH_HEADER = "x-ms-content-sha256"
CLOCK_SKEW = timedelta(minutes=5)
"""Source: "the allowed margin of 5 minutes", identity.md section 2.1."""

_SIGNED_HEADERS = ("x-ms-date", "host", CONTENT_HASH_HEADER)


class Authorization(msgspec.Struct, frozen=True):
    """The parsed header: lower-case names in the order in which they were signed, and the base64 signature."""

    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(value: str) -> Authorization | None:
    """The parts of an `HMAC-SHA256 ...` header, or None where it is not of that form."""
    scheme, _, credentials = value.partition(" ")
    if scheme.upper() != SCHEME:
        return None
    names, separator, signature = credentials.strip().partition("&Signature=")
    prefix, _, listed = names.partition("=")
    if not separator or prefix.lower() != "signedheaders" or not listed or not signature:
        return None
    return Authorization(_names(listed), signature)


@lru_cache(256)
def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.lower().split(";"))


def content_hash(body: bytes) -> str:
    """Base64 of the body's SHA-256; an empty body has one too."""
    return _base64(hashlib.sha256(body).digest())


def signature(key: bytes, method: str, target: str, values: Sequence[str]) -> str:
    """Base64 of the HMAC-SHA256 over verb, target and header values; `key` is the decoded access key."""
    string_to_sign = f"{method}\n{target}\n{';'.join(values)}"
    return _base64(hmac.digest(key, string_to_sign.encode("utf-8"), "sha256"))


def signed_headers(key: bytes, method: str, target: str, host: str, date: str, body: bytes) -> dict[str, str]:
    """The headers that a client adds to a request; `date` is RFC 1123 in GMT, `host` is the authority as sent."""
    digest = content_hash(body)
    proof = signature(key, method, target, (date, host, digest))
    return {
        "x-ms-date": date,
        CONTENT_HASH_HEADER: digest,
        "Authorization": f"{SCHEME} SignedHeaders={';'.join(_SIGNED_HEADERS)}&Signature={proof}",
    }


def _base64(value: bytes) -> str:
    # What `base64.b64encode` calls, without its ways round.
    return binascii.b2a_base64(value, newline=False).decode("ascii")
