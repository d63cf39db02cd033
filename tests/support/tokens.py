"""Tokens for tests: claims with every field, and signatures over any header and payload whatsoever."""

import json
from typing import Any

import msgspec

from watchword.tokens.claims import Claims
from watchword.tokens.issuer import SigningKey, new_signing_key
from watchword.tokens.jwks import KeySet, encode_base64url

NOW_SECONDS = 1_795_228_800
NOW_MICROS = NOW_SECONDS * 1_000_000
RESOURCE = "2dee53b4-368b-45b4-ab52-8493fb117652"

ES256, RS256, EDDSA = (new_signing_key(algorithm) for algorithm in ("ES256", "RS256", "EdDSA"))
KEYS = KeySet(key.verification_key() for key in (ES256, RS256, EDDSA))


def claims(**changed: Any) -> Claims:
    """The claims of a token issued at `NOW_MICROS` for an hour."""
    return msgspec.structs.replace(
        Claims(
            skypeid=f"acs:{RESOURCE}_00000005-14a2-493b-8a72-5a3a0d000081",
            scp=1792,
            csi=str(NOW_SECONDS),
            exp=NOW_SECONDS + 3_600,
            rgn="amer",
            acsScope="chat,voip",
            resourceId=RESOURCE,
            resourceLocation="unitedstates",
            iat=NOW_SECONDS,
            jti="0123456789abcdef0123456789abcdef",
            iatMicros=NOW_MICROS,
            gen=1,
            resourceGen=1,
            accessKey="00112233aabbccdd",
        ),
        **changed,
    )


def payload(**changed: Any) -> dict[str, Any]:
    """The same as JSON, in which any value may stand; a value of `...` takes the claim away."""
    found: dict[str, Any] = msgspec.to_builtins(claims()) | changed
    return {name: value for name, value in found.items() if value is not ...}


def sign_anything(header: dict[str, Any] | bytes, body: dict[str, Any] | bytes, key: SigningKey = ES256) -> str:
    """A signature by the key over whatever it is."""
    message = f"{segment(header)}.{segment(body)}"
    return f"{message}.{encode_base64url(key.sign(message.encode()))}"


def header_of(key: SigningKey = ES256, **changed: Any) -> dict[str, Any]:
    """The header of a real token, with changes; a value of `...` takes the field away."""
    found = {"alg": key.algorithm, "kid": key.kid, "typ": "JWT"} | changed
    return {name: value for name, value in found.items() if value is not ...}


def segment(value: dict[str, Any] | bytes) -> str:
    return encode_base64url(value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())
