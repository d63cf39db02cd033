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

import msgspec

from watchword.bounded_cache import bounded_cache

SCHEME = "HMAC-SHA256"
DATE_HEADERS = ("x-ms-date", "date")
"""The newer generation of clients signs the first, the older one the second."""

CONTENT_HASH_HEADER = "x-ms-content-sha256"
CLOCK_SKEW = timedelta(minutes=5)
"""Source: "the allowed margin of 5 minutes", identity.md section 2.1."""

_BLOCK_BYTES = 64
_DIGEST_BYTES = 32
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


@bounded_cache(most_entries=256, longest_text=256)
def _names(listed: str) -> tuple[str, ...]:
    return tuple(listed.lower().split(";"))


def content_hash(body: bytes) -> str:
    """Base64 of the body's SHA-256; an empty body has one too."""
    return _base64(hashlib.sha256(body).digest())


def signature(key: bytes, method: str, target: str, *, values: Sequence[str]) -> str:
    """Base64 of the HMAC-SHA256 over verb, target and header values; `key` is the decoded access key."""
    return _base64(hmac.digest(key, _string_to_sign(method, target, values).encode("utf-8"), "sha256"))


class KeyedHash:
    """HMAC-SHA256 under one key as far as it has got; what depends on the key alone is worked out once (RFC 2104)."""

    __slots__ = ("inner", "outer")

    def __init__(self, key: bytes) -> None:
        block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
        self.inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self.outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def after(self, data: bytes) -> KeyedHash:
        """Another one, which has got further by this."""
        further = KeyedHash.__new__(KeyedHash)
        further.inner, further.outer = self.inner.copy(), self.outer
        further.inner.update(data)
        return further

    def digest(self, rest: bytes) -> bytes:
        inner, outer = self.inner.copy(), self.outer.copy()
        inner.update(rest)
        outer.update(inner.digest())
        return outer.digest()


class SignedRequest:
    """A request with the signature that it came with, to be held against many keys and against many forms of its host.

    `begin` hashes everything before the host, the target above all, once a key; `fits` hashes what is left.
    """

    __slots__ = ("_given", "_head", "_rest")

    def __init__(self, method: str, target: str, values: Sequence[str], *, host_at: int, given: str) -> None:
        self._head = _string_to_sign(method, target, [*values[:host_at], ""]).encode("utf-8")
        self._rest = ";".join(["", *values[host_at + 1 :]]).encode("utf-8")
        self._given = _digest(given)

    @property
    def may_fit(self) -> bool:
        """Whether the signature is one that any key could have made."""
        return bool(self._given)

    @property
    def size(self) -> int:
        """How many bytes are signed besides the host."""
        return len(self._head) + len(self._rest)

    def begin(self, key: KeyedHash) -> KeyedHash:
        return key.after(self._head)

    def fits(self, begun: KeyedHash, host: str) -> bool:
        """Whether a key signed the request with this host; `begun` is what `begin` made of the key."""
        return hmac.compare_digest(begun.digest(host.encode("utf-8") + self._rest), self._given)


def signed_headers(key: bytes, method: str, target: str, *, host: str, date: str, body: bytes) -> dict[str, str]:
    """The headers that a client adds to a request; `date` is RFC 1123 in GMT, `host` is the authority as sent."""
    digest = content_hash(body)
    proof = signature(key, method, target, values=(date, host, digest))
    return {
        "x-ms-date": date,
        CONTENT_HASH_HEADER: digest,
        "Authorization": f"{SCHEME} SignedHeaders={';'.join(_SIGNED_HEADERS)}&Signature={proof}",
    }


def _string_to_sign(method: str, target: str, values: Sequence[str]) -> str:
    return f"{method}\n{target}\n{';'.join(values)}"


def _digest(signature: str) -> bytes:
    """What a signature spells, or nothing where it is none: each has one spelling only."""
    try:
        digest = binascii.a2b_base64(signature, strict_mode=True)
    except ValueError:
        return b""
    return digest if len(digest) == _DIGEST_BYTES and _base64(digest) == signature else b""


def _base64(value: bytes) -> str:
    # What `base64.b64encode` calls, without its ways round.
    return binascii.b2a_base64(value, newline=False).decode("ascii")
