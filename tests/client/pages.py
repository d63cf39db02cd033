"""Key sets and pages of the feed, made by hand for the tests of verifiers."""

from typing import Any

import msgspec

from tests.support.tokens import ES256, RESOURCE
from watchword.tokens.issuer import SigningKey
from watchword.tokens.jwks import KeySet
from watchword.wire.verification import Revocation, RevocationPage


def key_set(*keys: SigningKey) -> str:
    return KeySet(key.verification_key() for key in keys or (ES256,)).to_json().decode()


def page(*revocations: Revocation, cursor: str = "e.1", snapshot: bool = False, more: bool = False) -> RevocationPage:
    return RevocationPage(RESOURCE, cursor, list(revocations), snapshot, more)


def page_json(*revocations: Revocation, **options: Any) -> str:
    return msgspec.json.encode(page(*revocations, **options)).decode()
