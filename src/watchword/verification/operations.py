"""The operations for verifiers."""

from __future__ import annotations

from watchword.keyring.keyring import Keyring
from watchword.rest.call import PublicBinding, RawAnswer, Request
from watchword.wire.operations import Operation

KEY_SET = Operation(
    "Watchword_GetKeySet", "GET", "/.well-known/jwks.json", 200, None,
    "The public keys that verify access tokens (RFC 7517).",
)  # fmt: skip

_HEADERS = (("content-type", "application/jwk-set+json"), ("cache-control", "public, max-age=300"))


class VerificationOperations:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def bindings(self) -> list[PublicBinding]:
        return [PublicBinding(KEY_SET, self.key_set)]

    async def key_set(self, request: Request) -> RawAnswer:
        del request
        return RawAnswer(self._keyring.key_set.to_json(), _HEADERS)
