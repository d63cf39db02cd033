"""The rules of access tokens: which scopes, how long, and for whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from watchword.clock import Clock, ServiceClock
from watchword.errors import InvalidLifetime, NoScopes, UnknownScope
from watchword.identity.identities import Identity
from watchword.identity.last_tokens import LastTokens
from watchword.keyring.keyring import Keyring
from watchword.resources.issuers import Issuers
from watchword.resources.store import Resource
from watchword.storage.clock_watch import ClockWatch
from watchword.tokens.claims import new_claims
from watchword.tokens.issuer import sign

MINIMUM_MINUTES = 60
MAXIMUM_MINUTES = 1_440
DEFAULT_MINUTES = 1_440
"""Source: identity.md section 1.1, 60..1440 and default 1440."""


class IssuedToken(msgspec.Struct, frozen=True, gc=False):
    """A fresh token; times are microseconds since 1970, and `expires_micros` has those of the moment of issue."""

    token: str
    issued_micros: int
    expires_micros: int


class AccessTokens:
    """Issues tokens with the key in force."""

    def __init__(
        self,
        keyring: Keyring,
        issuers: Issuers,
        last_tokens: LastTokens,
        *,
        clock: Clock,
        service_clock: ServiceClock,
        clock_watch: ClockWatch,
    ) -> None:
        self._keyring = keyring
        self._issuers = issuers
        self._last_tokens = last_tokens
        self._clock = clock
        self._service_clock = service_clock
        self._clock_watch = clock_watch

    def require_right_clock(self) -> None:
        """Judges the clock before something is made that a token is to be issued for.

        Raises:
            WrongClock: by this machine's clock no token is issued.
        """
        self._clock_watch.require_right(self._clock.micros())

    async def issue(
        self,
        resource: Resource,
        access_key_id: str | None,
        identity: Identity,
        *,
        scopes: Sequence[str],
        minutes: int,
        is_noted: bool = False,
    ) -> IssuedToken:
        """A signed token for the identity as it was just read; scopes and minutes were checked before.

        `is_noted` says that the identity's row tells of this token already.

        Raises:
            WrongClock: by this machine's clock no token is issued.
            Unavailable: the database does not answer.
        """
        # One moment for both times of the token: it lives as long as was asked for, to the second.
        now = self._clock.micros()
        service_now = self._service_clock.at(now, resource.number)
        # Above what cuts off older tokens, so that this one is good at once, though the clock here be behind.
        counts_from = max(resource.valid_from_micros, identity.row.valid_from_micros)
        issued = await self._clock_watch.stamp(now, counts_from)
        claims = new_claims(
            identity.id.skype_id,
            scopes,
            resource_id=resource.id,
            location=resource.location,
            generation=identity.row.generation,
            resource_generation=resource.generation,
            now_micros=now,
            issued_micros=issued,
            expires=service_now // 1_000_000 + minutes * 60,
            access_key=access_key_id,
            issuer=self._issuers.named_in_tokens(resource),
        )
        key = await self._keyring.signing_key()
        # The requests of a tick sign one after another, and only then go on: a signature costs twice as much when the
        # processor's caches have to be filled for it.
        await asyncio.sleep(0)
        token = sign(claims, key)
        await asyncio.sleep(0)
        if not is_noted:
            self._last_tokens.note(resource.number, identity.id.flake, service_now)
        return IssuedToken(token, service_now, service_now + minutes * 60_000_000)


def require_scopes(scopes: Sequence[str], allowed: tuple[str, ...] | None, field: str) -> tuple[str, ...]:
    """The scopes without repetitions, in their order; where `allowed` is None, they may be any.

    Raises:
        NoScopes: the list is empty.
        UnknownScope: one of them is not allowed.
    """
    if not scopes:
        raise NoScopes
    if allowed is not None:
        for scope in scopes:
            if scope not in allowed:
                raise UnknownScope(scope, field, allowed)
    return tuple(dict.fromkeys(scopes))


def require_lifetime(minutes: int | None) -> int:
    """The lifetime in minutes, or the default where none was asked for.

    Raises:
        InvalidLifetime: outside 60 to 1440 minutes.
    """
    if minutes is None:
        return DEFAULT_MINUTES
    if not MINIMUM_MINUTES <= minutes <= MAXIMUM_MINUTES:
        raise InvalidLifetime(minutes, MINIMUM_MINUTES, MAXIMUM_MINUTES)
    return minutes
