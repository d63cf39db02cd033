"""A signature in compact form and what it covers (RFC 7515): header . payload . signature, each in base64url.

The order matters: nothing that a text says is believed before its signature was checked, and the signature is checked
with the algorithm of the key, never with the text's own (CVE-2015-9235 and its many children). A header may name a key
id, which is looked up and never followed; a key that it carries or points to (`jwk`, `jku`, `x5u`, `x5c`) is never
looked at.
"""

from __future__ import annotations

import msgspec

from watchword.bounded_cache import bounded_cache
from watchword.errors import InvalidToken
from watchword.tokens.jwks import KeySet, VerificationKey, decode_base64url

MAXIMUM_TOKEN_BYTES = 8_192
"""Ours have some 900; what is longer is refused before a byte of it is decoded (CVE-2025-61920)."""


class _Header(msgspec.Struct, frozen=True):
    """A name that is there twice has its last value, as RFC 7515, section 4 allows."""

    alg: str
    kid: str
    typ: str = "JWT"
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_headers = msgspec.json.Decoder(_Header)


def verify_jws(text: str, keys: KeySet) -> tuple[bytes, VerificationKey]:
    """The payload, and the one of the keys that signed it.

    Raises:
        InvalidToken: check `size`, `format`, `header`, `key`, `algorithm` or `signature`.
    """
    require_size(text)
    parts = text.split(".")
    if len(parts) != 3 or not text.isascii():
        raise InvalidToken("format", "A token has three parts of base64url, separated by dots.")
    header = _read_header(parts[0])
    key = keys.find(header.kid)
    if key is None:
        raise InvalidToken("key", "The token names a signing key that is not in the key set.")
    if header.alg != key.algorithm:
        raise InvalidToken("algorithm", f"The token's algorithm is not its key's, which is {key.algorithm}.")
    try:
        payload, signature = decode_base64url(parts[1]), decode_base64url(parts[2])
    except ValueError:
        raise InvalidToken("format", "The token's parts are not base64url.") from None
    if not key.verify(signature, f"{parts[0]}.{parts[1]}".encode("ascii")):
        raise InvalidToken("signature", "The token's signature does not match its content.")
    return payload, key


def key_id(text: str) -> str:
    """The key id that a token names, which proves nothing yet: for fetching a key set that may hold it.

    Raises:
        InvalidToken: check `size`, `format` or `header`.
    """
    require_size(text)
    return _read_header(text.partition(".")[0]).kid


def require_size(text: str) -> None:
    """Refuse a text that is longer than any token of ours.

    Raises:
        InvalidToken: check `size`.
    """
    if len(text) > MAXIMUM_TOKEN_BYTES:
        raise InvalidToken("size", f"The token is longer than {MAXIMUM_TOKEN_BYTES} characters.")


@bounded_cache(most_entries=64, longest_text=512)
def _read_header(segment: str) -> _Header:
    # All tokens of one key share it.
    try:
        header = _headers.decode(decode_base64url(segment))
    except (ValueError, RecursionError):
        raise InvalidToken("format", "The token's header is not base64url of JSON with alg and kid.") from None
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise InvalidToken("header", "The token's header demands an extension (crit, b64) that is not known.")
    if header.typ.upper() != "JWT":
        raise InvalidToken("header", "The token's type (typ) is not JWT.")
    return header
