"""The access token of an OpenID provider: what it says, once its signature was checked, and which checks it must pass.

    {"iss": "https://sts.windows.net/<tenant>/", "aud": "https://communication.azure.com/", "exp": 1665387269,
     "tid": "<tenant>", "oid": "<object>", "appid": "<application>", "scp": "Chat VoIP"}

Source: identity.md section 2.2 for Entra ID's names. Other providers leave some of them out: `sub` stands in for `oid`,
and `azp` for `appid`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from watchword.errors import InvalidToken

LEEWAY = timedelta(seconds=60)
"""How far the clocks of issuer and server may differ."""

_LEEWAY_MICROS = LEEWAY // timedelta(microseconds=1)
_END_SECONDS = 253_402_300_799
"""The last second of the year 9999."""


class _Payload(msgspec.Struct, frozen=True):
    iss: str
    aud: str | list[str]
    exp: int | float
    sub: str = ""
    nbf: int | float = 0
    tid: str = ""
    oid: str = ""
    appid: str = ""
    azp: str = ""
    scp: str = ""
    scope: str = ""
    idtyp: str = ""
    groups: list[str] = []


class _Issued(msgspec.Struct):
    iss: str
    tid: str = ""


_payloads = msgspec.json.Decoder(_Payload)
_issued = msgspec.json.Decoder(_Issued)


@dataclass(frozen=True, slots=True)
class ProviderToken:
    """Ids are lower-case. `is_application` where no user stands behind the token, so that the application is meant."""

    issuer: str
    audiences: frozenset[str]
    tenant: str
    object_id: str
    application: str
    scopes: frozenset[str]
    groups: frozenset[str]
    not_before_micros: int
    expires_micros: int
    is_application: bool

    @property
    def principals(self) -> tuple[str, ...]:
        """The ids under which a role may have been given: a user's application lends the user nothing of its own."""
        return (self.object_id, self.application) if self.is_application else (self.object_id,)


def issuer_of(payload: bytes) -> tuple[str, str]:
    """Issuer and tenant as the token names them, which proves nothing yet: for finding the keys to check it with.

    Raises:
        InvalidToken: check `claims`; the token names no issuer, as an access token of Watchword's own never does.
    """
    try:
        issued = _issued.decode(payload)
    except (ValueError, RecursionError):
        raise InvalidToken("claims", "The token names no issuer (iss).") from None
    return issued.iss, issued.tid.lower()


def read_payload(payload: bytes) -> ProviderToken:
    """Read the claims of a token whose signature was checked.

    Raises:
        InvalidToken: check `claims`; a required claim is missing or of a wrong type.
    """
    try:
        claims = _payloads.decode(payload)
    except (ValueError, RecursionError):
        raise InvalidToken("claims", "The token lacks an issuer (iss), an audience (aud) or an expiry (exp).") from None
    object_id = claims.oid or claims.sub
    if not object_id:
        raise InvalidToken("claims", "The token names nobody: it has neither an object id (oid) nor a subject (sub).")
    return ProviderToken(
        issuer=claims.iss,
        audiences=frozenset([claims.aud] if isinstance(claims.aud, str) else claims.aud),
        tenant=claims.tid.lower(),
        object_id=object_id.lower(),
        application=(claims.appid or claims.azp).lower(),
        scopes=frozenset(claims.scp.split()),
        groups=frozenset(group.lower() for group in claims.groups),
        not_before_micros=_micros(claims.nbf),
        expires_micros=_micros(claims.exp),
        is_application=_is_application(claims),
    )


def require_in_time(token: ProviderToken, now_micros: int, leeway_micros: int = _LEEWAY_MICROS) -> None:
    """Let a token pass that is valid at this time.

    Raises:
        InvalidToken: check `expiry`.
    """
    if now_micros >= token.expires_micros + leeway_micros:
        raise InvalidToken("expiry", "The Entra ID token has expired.")
    if now_micros < token.not_before_micros - _LEEWAY_MICROS:
        raise InvalidToken("expiry", "The Entra ID token is not valid yet (nbf).")


def require_audience(token: ProviderToken, accepted: Collection[str]) -> None:
    """Let a token pass that is meant for one of those that are accepted.

    Raises:
        InvalidToken: check `audience`.
    """
    if token.audiences.isdisjoint(accepted):
        named = ", ".join(sorted(token.audiences))
        raise InvalidToken("audience", f"The audience (aud) of the Entra ID token is another: {named:.200}.")


def _is_application(claims: _Payload) -> bool:
    """Whether the token was given to an application in its own name. Where that is not certain, it was not.

    A token of a user names the application that the user is at; were that enough, every user of an application that
    has a role would have it too. Entra ID says `idtyp`, or repeats `oid` as `sub`, and gives no scopes.
    """
    if claims.scp or claims.scope:
        return False
    return claims.idtyp == "app" or (bool(claims.oid) and claims.oid == claims.sub)


def _micros(seconds: float) -> int:
    return int(min(max(seconds, 0), _END_SECONDS) * 1_000_000)
