"""Access tokens: claims, signed with a key that was made at the start."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from benchmarks.peers.naive_service.schemas import AccessToken


class Issuer:
    def __init__(self, resource: str) -> None:
        self._resource = resource
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kid = uuid.uuid4().hex

    def issue(self, identity_id: str, scopes: Sequence[str], minutes: int) -> AccessToken:
        now = datetime.now(UTC)
        expires = now + timedelta(minutes=minutes)
        claims = {
            "skypeid": identity_id.removeprefix("8:"),
            "scp": 1792,
            "csi": str(int(now.timestamp())),
            "exp": expires,
            "rgn": "amer",
            "acsScope": ",".join(scopes),
            "resourceId": self._resource,
            "resourceLocation": "unitedstates",
            "iat": now,
            "jti": uuid.uuid4().hex,
        }
        token = jwt.encode(claims, self._key, "ES256", headers={"kid": self._kid})
        return AccessToken(token=token, expires_on=expires)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        public = ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": self._kid, "alg": "ES256", "use": "sig"}]}
