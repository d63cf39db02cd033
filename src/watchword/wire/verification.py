"""What verifiers ask and are told. Watchword's own operations, shaped after the RFCs that stock clients speak.

Key set: RFC 7517. Introspection: RFC 7662. Revocation of one token: RFC 7009. The feed is ours.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl

import msgspec

from watchword.errors import MalformedBody, MissingField
from watchword.wire.operations import FORM, Body, Operation, Parameter

Kind = Literal["token", "identity", "resource", "accessKey", "signingKey"]


class IntrospectionBody(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`{"active": false}`, or everything that a valid token says.

        {"active":true,"scope":"chat voip","sub":"8:acs:...","exp":1665473669,"iat":1665387269,"jti":"...",
         "token_type":"Bearer","resource":"<guid>","iss":"https://localhost:8443","aud":"<guid>"}

    `reason` is told of an inactive token only to who may manage the resource that it belongs to.
    """

    active: bool
    scope: str | None = None
    sub: str | None = None
    exp: int | None = None
    iat: int | None = None
    jti: str | None = None
    token_type: str | None = None
    resource: str | None = None
    iss: str | None = None
    aud: str | None = None
    reason: str | None = None


class Revocation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry: what is dead, in five kinds.

        {"kind":"token","id":"<jti>"}
        {"kind":"identity","id":"acs:<resource>_<flake>","generation":4}
        {"kind":"identity","id":"acs:<resource>_<flake>","deleted":true}
        {"kind":"resource","id":"<guid>","generation":2}
        {"kind":"accessKey","id":"<key id>"}
        {"kind":"signingKey","id":"<kid>"}

    Tokens below `generation`, or issued before `validFrom` (microseconds since 1970), are dead; all of a deleted
    identity or resource are; and of the other kinds all that the entry names.
    """

    kind: Kind
    id: str
    generation: int = 0
    validFrom: int = 0
    deleted: bool = False


class RevocationPage(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came after a cursor. `snapshot`: forget what you had. `more`: ask again at once.

    {"resource":"<guid>","cursor":"9f2c04b1d6e83a57.412","revocations":[...],"snapshot":true,"more":true}

    `resource` is the only one whose tokens the reader may judge by this feed: it is told nothing of others'.
    """

    resource: str
    cursor: str
    revocations: list[Revocation]
    snapshot: bool = False
    more: bool = False


class KeySetBody(msgspec.Struct, frozen=True):
    """`{"keys": [{"kty": "EC", "kid": "...", "alg": "ES256", "crv": "P-256", "x": "...", "y": "..."}]}`"""

    keys: list[dict[str, str]]


class DiscoveryBody(msgspec.Struct, frozen=True, kw_only=True):
    """What OpenID Connect Discovery 1.0 and RFC 8414 name alike, of what there is: no page to sign in at, and no token
    endpoint.

        {"issuer":"https://localhost:8443","jwks_uri":"https://localhost:8443/.well-known/jwks.json",
         "id_token_signing_alg_values_supported":["ES256"],...}
    """

    issuer: str
    jwks_uri: str
    introspection_endpoint: str
    revocation_endpoint: str
    id_token_signing_alg_values_supported: list[str]
    response_types_supported: tuple[str, ...]
    subject_types_supported: tuple[str, ...]


class IntrospectForm(msgspec.Struct, frozen=True):
    """`token=eyJ...`"""

    token: str


class RevokeForm(msgspec.Struct, frozen=True):
    """`token=eyJ...`, or `token_id=` with its `jti`."""

    token: str = ""
    token_id: str = ""


KEY_SET = Operation(
    "Watchword_GetKeySet", "GET", "/.well-known/jwks.json", 200, None,
    "The public keys that verify access tokens (RFC 7517).",
    gives=(Body(KeySetBody, media_type="application/jwk-set+json"),),
    is_for_browsers=True,
)  # fmt: skip
DISCOVERY = Operation(
    "Watchword_GetDiscoveryDocument", "GET", "/.well-known/openid-configuration", 200, None,
    "Where stock verifiers find issuer and key set (OpenID Connect Discovery 1.0).",
    gives=(Body(DiscoveryBody),),
    is_for_browsers=True,
)  # fmt: skip
INTROSPECT = Operation(
    "Watchword_IntrospectToken", "POST", "/introspect", 200, None,
    "Whether a token of the caller's resource is valid at this instant (RFC 7662).",
    takes=(Body(IntrospectForm, media_type=FORM),),
    gives=(Body(IntrospectionBody),),
)  # fmt: skip
REVOKE_TOKEN = Operation(
    "Watchword_RevokeToken", "POST", "/revoke", 200, None,
    "Revoke one token of the caller's resource, by the token or by its id (RFC 7009).",
    takes=(Body(RevokeForm, media_type=FORM),),
)  # fmt: skip
REVOCATIONS = Operation(
    "Watchword_ListRevocations", "GET", "/revocations", 200, None,
    "What is no longer valid, in commit order: a page, a long poll, or server-sent events.",
    gives=(Body(RevocationPage), Body(str, media_type="text/event-stream")),
    parameters=(
        Parameter("since", "A cursor; without one, or with one of another history, everything is told anew."),
        Parameter("wait", "Seconds to wait for news; 0 where it is left out.",
                  {"type": "number", "minimum": 0, "maximum": 60}),
        Parameter("Last-Event-ID", "The cursor of a stream that is taken up again.", place="header"),
    ),
    is_for_browsers=True,
)  # fmt: skip


def read_token_form(body: bytes, *names: str) -> dict[str, str]:
    """The fields of an `application/x-www-form-urlencoded` body; at least one of `names` is there.

    Raises:
        MalformedBody: not a form, or a field is there twice: RFC 6749 forbids it, and one of them would go unheard.
        MissingField: none of the names.
    """
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise MalformedBody("Expected an application/x-www-form-urlencoded form") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise MalformedBody("A field of the form is there twice")
    if not any(form.get(name) for name in names):
        raise MissingField(names[0])
    return form
