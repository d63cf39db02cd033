"""An OpenID issuer for development, in the process of `watchword dev --entra`; its tokens count nowhere else.

    GET  /<tenant>/v2.0/.well-known/openid-configuration, /<tenant>/discovery/v2.0/keys
    POST /<tenant>/oauth2/v2.0/token           client credentials, for EnvironmentCredential
    GET  /<tenant>/identity?resource=...       X-IDENTITY-HEADER, for ManagedIdentityCredential
    POST /<tenant>/user-token                  X-IDENTITY-HEADER, {"oid": ..., "scp": "Chat VoIP", "aud": ..., ...}

The signing key is drawn at start. Application, secret and header are the same everywhere and known to everybody, as the
access keys of `watchword dev` are; hence it listens on loopback only.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from typing import Any

import falcon
import falcon.asgi
import msgspec

from watchword.clock import Clock
from watchword.entra.roles import CONTRIBUTOR
from watchword.entra.store import assign_role
from watchword.identifiers import parse_guid
from watchword.resources.store import list_resources
from watchword.storage import Database, Transaction
from watchword.tokens.issuer import new_signing_key
from watchword.tokens.jwks import KeySet, encode_base64url
from watchword.wire.headers import correlation_vector

TENANT = "dededede-0000-4000-8000-00000000000a"
PRINCIPAL = "dededede-0000-4000-8000-00000000000b"
APPLICATION = "dededede-0000-4000-8000-00000000000c"
USER = "dededede-0000-4000-8000-00000000000d"
SECRET = "everyone-knows-this-secret"
HEADER = "everyone-knows-this-header"
PREFIX = f"/{TENANT}/"

_log = logging.getLogger(__name__)

_LIFETIME_SECONDS = 3_600
_LONGEST_MINUTES = 7 * 24 * 60
_DEFAULT_SCOPE = "/.default"


def managed_identity(endpoint: str) -> dict[str, str]:
    """What a program's environment needs so that ManagedIdentityCredential asks the issuer at this endpoint."""
    return {
        "IDENTITY_ENDPOINT": f"{endpoint.rstrip('/')}{PREFIX}identity",
        "IDENTITY_HEADER": HEADER,
        "COMMUNICATION_SERVICES_ENDPOINT": endpoint.rstrip("/"),
    }


class UserTokenRequest(msgspec.Struct, forbid_unknown_fields=True):
    """What a user's token shall say; `minutes` may be negative, for one that has expired."""

    oid: str = USER
    tid: str = TENANT
    appid: str = APPLICATION
    scp: str = "Chat VoIP"
    aud: str = "https://communication.azure.com/clients"
    groups: list[str] = []
    minutes: int = 60


async def open_development_issuer(database: Database, clock: Clock, endpoint: str) -> DevelopmentIssuer:
    """At the server's own address, with a role for its one application on the first resource."""

    async def assign(transaction: Transaction) -> None:
        resource = (await list_resources(transaction))[0]
        await assign_role(transaction, resource, PRINCIPAL, CONTRIBUTOR, clock.micros())

    await database.transact(assign)
    return DevelopmentIssuer(endpoint, clock)


class DevelopmentIssuer:
    """One of the issuers, and an ASGI application that answers below `PREFIX`."""

    tenants = (TENANT,)

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self.address = f"{endpoint.rstrip('/')}/{TENANT}/v2.0"
        self._base = f"{endpoint.rstrip('/')}/{TENANT}"
        self._clock = clock
        self._key = new_signing_key("RS256")
        self._key_set = KeySet([self._key.verification_key()])
        self._http: falcon.asgi.App[falcon.asgi.Request, falcon.asgi.Response] = falcon.asgi.App(middleware=[_Named()])
        self._http.add_error_handler(Exception, _fail)
        self._http.add_route(f"{PREFIX}v2.0/.well-known/openid-configuration", self, suffix="discovery")
        self._http.add_route(f"{PREFIX}.well-known/openid-configuration", self, suffix="discovery")
        self._http.add_route(f"{PREFIX}discovery/v2.0/keys", self, suffix="keys")
        self._http.add_route(f"{PREFIX}oauth2/v2.0/token", self, suffix="token")
        self._http.add_route(f"{PREFIX}identity", self, suffix="identity")
        self._http.add_route(f"{PREFIX}user-token", self, suffix="user_token")

    def beside(self, http: Any) -> Any:
        """An ASGI application that answers as this issuer below `PREFIX`, and as the other everywhere else."""

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            chosen = self._http if scope.get("path", "").startswith(PREFIX) else http
            await chosen(scope, receive, send)

        return answer

    async def keys(self, kid: str) -> KeySet:
        del kid
        return self._key_set

    async def names_itself(self, issuer: str, tenant: str) -> bool:
        del tenant
        return issuer == self.address

    def application_token(self, audience: str) -> tuple[str, int]:
        """The token of the one application in its own name, and when it expires in seconds since 1970."""
        said = {"aud": audience, "tid": TENANT, "oid": PRINCIPAL, "sub": PRINCIPAL, "appid": APPLICATION}
        return self._sign({**said, "idtyp": "app"}, _LIFETIME_SECONDS)

    def user_token(self, wanted: UserTokenRequest) -> tuple[str, int]:
        """A token with whatever a test wants, and when it expires in seconds since 1970."""
        said = msgspec.to_builtins(wanted)
        seconds = said.pop("minutes") * 60
        return self._sign({**said, "sub": f"pairwise-{wanted.oid}", "idtyp": "user"}, seconds)

    async def on_get_discovery(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        del request
        response.media = {
            "issuer": self.address,
            "jwks_uri": f"{self._base}/discovery/v2.0/keys",
            "token_endpoint": f"{self._base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{self._base}/oauth2/v2.0/authorize",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    async def on_get_keys(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        del request
        response.data, response.content_type = self._key_set.to_json(), "application/jwk-set+json"

    async def on_post_token(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        form = await request.get_media()
        if not isinstance(form, Mapping):
            return _refuse(response, 400, "invalid_request", "A form with grant_type is expected.")
        if form.get("grant_type") != "client_credentials":
            return _refuse(response, 400, "unsupported_grant_type", "Only client_credentials is served here.")
        is_known = form.get("client_id") == APPLICATION and _is_same(str(form.get("client_secret", "")), SECRET)
        if not is_known:
            return _refuse(response, 401, "invalid_client", "The client id or the client secret is wrong.")
        token, _ = self.application_token(str(form.get("scope", "")).partition(" ")[0].removesuffix(_DEFAULT_SCOPE))
        response.media = {"token_type": "Bearer", "expires_in": _LIFETIME_SECONDS, "access_token": token}
        return None

    async def on_get_identity(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        if not _is_same(request.get_header("x-identity-header") or "", HEADER):
            return _refuse(response, 401, "unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
        resource = request.get_param("resource") or ""
        token, expires = self.application_token(resource)
        media = {"access_token": token, "expires_on": str(expires), "resource": resource, "token_type": "Bearer"}
        response.media = {**media, "client_id": APPLICATION}
        return None

    async def on_post_user_token(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        # A web page cannot send this header without asking first, and is not answered then.
        if not _is_same(request.get_header("x-identity-header") or "", HEADER):
            return _refuse(response, 401, "unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
        try:
            wanted = msgspec.json.decode(await request.stream.read(65_536) or b"{}", type=UserTokenRequest)
        except (ValueError, RecursionError) as error:
            return _refuse(response, 400, "invalid_request", f"{error}.")
        if not (parse_guid(wanted.oid) and parse_guid(wanted.tid)):
            return _refuse(response, 400, "invalid_request", "The oid and the tid have to be guids.")
        if abs(wanted.minutes) > _LONGEST_MINUTES:
            return _refuse(response, 400, "invalid_request", f"The minutes are at most {_LONGEST_MINUTES}.")
        token, expires = self.user_token(wanted)
        response.media = {"access_token": token, "expires_on": str(expires), "token_type": "Bearer"}
        return None

    def _sign(self, said: Mapping[str, Any], lifetime_seconds: int) -> tuple[str, int]:
        now = self._clock.micros() // 1_000_000
        expires = now + lifetime_seconds
        begins = min(now, expires) - 1
        claims = {"iss": self.address, "iat": begins, "nbf": begins, "exp": expires, "ver": "1.0", **said}
        message = self._key.header + b"." + encode_base64url(msgspec.json.encode(claims)).encode("ascii")
        return f"{message.decode('ascii')}.{encode_base64url(self._key.sign(message))}", expires


class _Named:
    """Every answer names its request, as all others of the server do."""

    async def process_request(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        request.context.correlation = correlation_vector()
        response.set_header("ms-cv", request.context.correlation)


async def _fail(
    request: falcon.asgi.Request, response: falcon.asgi.Response, failure: Exception, parts: object
) -> None:
    del parts
    _log.error("request %s failed", request.context.correlation, exc_info=failure)
    _refuse(response, 500, "server_error", "Internal server error.")


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def _refuse(response: falcon.asgi.Response, status: int, code: str, sentence: str) -> None:
    response.status = status
    response.media = {"error": code, "error_description": sentence}
