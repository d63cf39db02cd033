"""Whose tokens count: OpenID issuers by setting, and the checks that a token of any of them must pass.

An issuer whose keys are not at hand refuses nobody: whether a token of its is good is then unknown, and said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from watchword.clock import Clock
from watchword.entra.provider_tokens import ProviderToken, issuer_of, read_payload, require_in_time
from watchword.errors import InvalidToken, IssuerUnavailable
from watchword.tokens.jwks import KeySet, decode_base64url
from watchword.tokens.jws import key_id, require_size, verify_jws


class Issuer(Protocol):
    """Whoever signs tokens of its own, under a name."""

    address: str

    async def keys(self, kid: str) -> KeySet:
        """The keys, of which one is named `kid` unless the issuer has none of that name.

        Raises:
            IssuerUnavailable: they are not at hand.
        """
        ...

    async def names_itself(self, issuer: str, tenant: str) -> bool:
        """Whether a token with that issuer (iss) is this one's.

        Raises:
            IssuerUnavailable: its own name is not known yet.
        """
        ...


class Issuers:
    """All issuers by setting. `tenants` are the only ones whose tokens count, if any are named."""

    def __init__(self, issuers: Sequence[Issuer], tenants: Sequence[str], clock: Clock) -> None:
        self._issuers = issuers
        self._tenants = frozenset(tenant.lower() for tenant in tenants)
        self._clock = clock

    async def verify(self, text: str) -> ProviderToken:
        """What the token says, its signature, issuer, tenant and times checked; its audience is the caller's question.

        Raises:
            InvalidToken: it proves nothing; `check` says which check failed.
            IssuerUnavailable: the keys to check it with are not at hand.
        """
        kid = key_id(text)
        issuer = await self._find(*issuer_of(_unproved_payload(text)))
        payload, _ = verify_jws(text, await issuer.keys(kid))
        token = read_payload(payload)
        if self._tenants and token.tenant not in self._tenants:
            raise InvalidToken("tenant", "The Entra ID token is of a tenant (tid) that is not accepted here.")
        require_in_time(token, self._clock.micros())
        return token

    async def _find(self, name: str, tenant: str) -> Issuer:
        silent: IssuerUnavailable | None = None
        for issuer in self._issuers:
            try:
                if await issuer.names_itself(name, tenant):
                    return issuer
            except IssuerUnavailable as error:
                silent = error
        if silent is not None:
            raise silent
        raise InvalidToken("issuer", "The issuer (iss) of the token is none of those that are accepted here.")


def _unproved_payload(text: str) -> bytes:
    require_size(text)
    parts = text.split(".")
    try:
        return decode_base64url(parts[1])
    except (ValueError, IndexError):
        raise InvalidToken("format", "A token has three parts of base64url, separated by dots.") from None
