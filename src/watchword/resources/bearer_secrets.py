"""Bearer secrets: made by us, shown once, hashed at rest.

    wwv_<16 hexadecimal digits that name it>_<43 characters of secret>

The prefix says what it is good for: `wwv` for verifiers, `wwo` for operators.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field

from watchword.identifiers import new_key_id, random_bytes

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class BearerSecret:
    """`id` names it without telling anything of it; `secret` is kept by its holder alone."""

    prefix: str
    id: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"{self.prefix}_{self.id}_{self.secret}"

    def hash(self) -> bytes:
        return hash_secret(self.secret)


def new_secret(prefix: str) -> BearerSecret:
    secret = urlsafe_b64encode(random_bytes(_SECRET_BYTES)).rstrip(b"=").decode("ascii")
    return BearerSecret(prefix, new_key_id(), secret)


def parse_secret(prefix: str, text: str) -> BearerSecret | None:
    """The parts of a text that begins with the prefix, whatever they are worth; None of any other text."""
    if not text.startswith(f"{prefix}_"):
        return None
    id, _, secret = text.removeprefix(f"{prefix}_").partition("_")
    return BearerSecret(prefix, id, secret)


def fits(secret: str, stored: bytes | None) -> bool:
    """Whether a secret is the one that was hashed; takes as long where none was."""
    return hmac.compare_digest(hash_secret(secret), stored or bytes(32))


def hash_secret(secret: str) -> bytes:
    # The secret is 256 random bits: a slow hash would protect nothing and cost every request.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
