"""Tokens, key sets and pages of the feed, made by hand for the tests of verifiers."""

from typing import Any

import msgspec

from tests.support.clock import START
from watchword.clock import to_micros
from watchword.tokens.claims import Claims
from watchword.tokens.issuer import SigningKey, new_signing_key, sign
from watchword.tokens.jwks import KeySet
from watchword.wire.verification import Revocation, RevocationPage

RESOURCE = "2dee53b4-368b-45b4-ab52-8493fb117652"
SKYPEID = f"acs:{RESOURCE}_00000005-14a2-493b-8a72-5a3a0d000081"
KEY = new_signing_key("ES256")
ISSUED_MICROS = to_micros(START)


def claims(**changed: Any) -> Claims:
    seconds = ISSUED_MICROS // 1_000_000
    plain: dict[str, Any] = {
        "skypeid": SKYPEID,
        "scp": 1792,
        "csi": str(seconds),
        "exp": seconds + 86_400,
        "rgn": "amer",
        "acsScope": "chat",
        "resourceId": RESOURCE,
        "resourceLocation": "unitedstates",
        "iat": seconds,
        "jti": "0" * 32,
        "iatMicros": ISSUED_MICROS,
        "gen": 1,
        "resourceGen": 1,
        "accessKey": "key1",
    }
    return Claims(**(plain | changed))


def token(key: SigningKey = KEY, **changed: Any) -> str:
    return sign(claims(**changed), key)


def key_set(*keys: SigningKey) -> str:
    return KeySet(key.verification_key() for key in keys or (KEY,)).to_json().decode()


def page(*revocations: Revocation, cursor: str = "e.1", snapshot: bool = False, more: bool = False) -> RevocationPage:
    return RevocationPage(RESOURCE, cursor, list(revocations), snapshot, more)


def page_json(*revocations: Revocation, **options: Any) -> str:
    return msgspec.json.encode(page(*revocations, **options)).decode()
