"""What an access token says, as it stands in the JWT and as a typed value.

    {"skypeid":"acs:<resource>_<flake>","scp":1792,"csi":"1665387269","exp":1665473669,"rgn":"amer",
     "acsScope":"chat,voip","resourceId":"<resource>","resourceLocation":"unitedstates","iat":1665387269,
     "jti":"<32 hex>","iatMicros":1665387269123456,"gen":3,"resourceGen":1,"accessKey":"<key id>",
     "iss":"https://localhost:8443","aud":"<resource>"}

The first two lines are the original's, in the order of its newest example. Source: identity.md sections 4.1, 4.2.
The third is Watchword's: what exact revocation needs. The fourth is for stock verifiers, and is there unless a setting
leaves it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from watchword.clock import to_datetime
from watchword.identifiers import new_token_id

LONGEST_LIFETIME = timedelta(hours=24)
"""No token lives longer. Source: identity.md section 6."""

SCOPE_BITS = 1792
"""Observed: the same in every known token, whatever its scopes."""

_REGION = "amer"
"""Observed: `rgn` of the newest example. Assumed: `rgn` is `amer` in every data location."""

_END_SECONDS = 253_402_300_799
"""The last second of the year 9999: what lies beyond is no date, but milliseconds where seconds belong."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=_END_SECONDS)]
Micros = Annotated[int, msgspec.Meta(ge=0, le=_END_SECONDS * 1_000_000)]
Generation = Annotated[int, msgspec.Meta(ge=0)]


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """The payload, field by field as it is spelled on the wire.

    `gen` and `resourceGen` are the generations of the identity and of its resource when the token was issued;
    `iatMicros` is the issue time in microseconds since 1970, never the same for two tokens of one process;
    `accessKey` names the access key that asked for the token, and is absent where none did. `iss` and `aud` are absent
    in tokens of releases before 0.3.0, and where a setting leaves them out.
    """

    skypeid: str
    scp: int
    csi: str
    exp: Seconds
    rgn: str
    acsScope: str
    resourceId: str
    resourceLocation: str
    iat: Seconds
    jti: str
    iatMicros: Micros
    gen: Generation
    resourceGen: Generation
    accessKey: str | None = None
    iss: str | None = None
    aud: str | None = None


def new_claims(
    skype_id: str,
    scopes: Sequence[str],
    *,
    resource_id: str,
    location: str,
    generation: int,
    resource_generation: int,
    now_micros: int,
    issued_micros: int,
    expires: Seconds,
    access_key: str | None,
    issuer: str | None = None,
) -> Claims:
    """The claims of a token that is about to be signed; without an `issuer` it has no audience either.

    The issue time that revocation compares never goes back; the times that expiry is counted from are the clock's own.
    """
    seconds = now_micros // 1_000_000
    # With more than fifteen named arguments a call costs Python several times as much.
    return Claims(
        skype_id,
        SCOPE_BITS,
        csi=str(seconds),
        exp=expires,
        rgn=_REGION,
        acsScope=",".join(scopes),
        resourceId=resource_id,
        resourceLocation=location,
        iat=seconds,
        jti=new_token_id(),
        iatMicros=issued_micros,
        gen=generation,
        resourceGen=resource_generation,
        accessKey=access_key,
        iss=issuer,
        aud=None if issuer is None else resource_id,
    )


class AccessToken(msgspec.Struct, frozen=True):
    """A token that was verified."""

    identity: str
    resource: str
    scopes: frozenset[str]
    issued: datetime
    expires: datetime
    token_id: str
    claims: Claims


def to_access_token(claims: Claims) -> AccessToken:
    """The claims of a verified token as a typed value."""
    return AccessToken(
        identity=f"8:{claims.skypeid}",
        resource=claims.resourceId,
        scopes=frozenset(claims.acsScope.split(",")),
        issued=to_datetime(claims.iatMicros),
        expires=to_datetime(claims.exp * 1_000_000),
        token_id=claims.jti,
        claims=claims,
    )
