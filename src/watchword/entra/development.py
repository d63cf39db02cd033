"""An OpenID issuer for development, in the process of `watchword dev --entra`; its tokens count nowhere else.

    GET  /<tenant>/v2.0/.well-known/openid-configuration, /<tenant>/discovery/v2.0/keys
    POST /<tenant>/oauth2/v2.0/token           client credentials, for EnvironmentCredential
    GET  /<tenant>/identity?resource=...       X-IDENTITY-HEADER, or Secret, for ManagedIdentityCredential
    POST /<tenant>/user-token                  X-IDENTITY-HEADER, {"oid": ..., "scp": "Chat VoIP", "aud": ..., ...}
    GET  /adfs/.well-known/openid-configuration, POST /adfs/oauth2/token: the same as of an AD FS

Signing key, application, secret and header are the same everywhere and known to everybody, as the access keys of
`watchword dev` are; hence it listens on loopback only.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

import msgspec

from watchword.clock import Clock, to_datetime
from watchword.entra.development_key import development_key
from watchword.entra.roles import CONTRIBUTOR
from watchword.entra.store import assign_role
from watchword.identifiers import parse_guid
from watchword.resources.store import list_resources
from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.doors import Doors
from watchword.rest.request import Request
from watchword.storage import Database, Transaction
from watchword.storage.database import TURN
from watchword.tokens.jwks import KeySet, encode_base64url
from watchword.wire.operations import Operation

TENANT = "dededede-0000-4000-8000-00000000000a"
PRINCIPAL = "dededede-0000-4000-8000-00000000000b"
APPLICATION = "dededede-0000-4000-8000-00000000000c"
USER = "dededede-0000-4000-8000-00000000000d"
SECRET = "everyone-knows-this-secret"
HEADER = "everyone-knows-this-header"
PREFIX = f"/{TENANT}/"

ADFS = "adfs"
"""What AZURE_TENANT_ID says; the identity libraries take it to mean an AD FS.

Observed: of any other authority that is not Microsoft's they ask Microsoft first whether it is known; of this one they
do not (Python 1.27.0, JavaScript 1.5.2 and 4.13.1, Java 1.11.1 and 1.16.2).
"""

_VERSION_OF_2017 = "2017-09-01"
_LIFETIME_SECONDS = 3_600
_LONGEST_MINUTES = 7 * 24 * 60
_DEFAULT_SCOPE = "/.default"
_JSON = (("content-type", "application/json"),)


def managed_identity(endpoint: str) -> dict[str, str]:
    """What a program's environment needs so that ManagedIdentityCredential asks the issuer at this endpoint, also where
    it is of an identity library that knows App Service of 2017 only.
    """
    address = f"{endpoint.rstrip('/')}{PREFIX}identity"
    return {
        "IDENTITY_ENDPOINT": address,
        "IDENTITY_HEADER": HEADER,
        "MSI_ENDPOINT": address,
        "MSI_SECRET": HEADER,
        "COMMUNICATION_SERVICES_ENDPOINT": endpoint.rstrip("/"),
    }


def application(endpoint: str) -> dict[str, str]:
    """The same for EnvironmentCredential, which DefaultAzureCredential asks first. Without TLS there is nothing to set:
    no identity library takes an authority over http.
    """
    if not endpoint.startswith("https:"):
        return {}
    return {
        "AZURE_AUTHORITY_HOST": endpoint.rstrip("/"),
        "AZURE_TENANT_ID": ADFS,
        "AZURE_CLIENT_ID": APPLICATION,
        "AZURE_CLIENT_SECRET": SECRET,
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
    """The issuer has the server's own address, and a role for its one application on the first resource."""

    async def assign(transaction: Transaction) -> None:
        resource = (await list_resources(transaction))[0]
        await assign_role(transaction, resource, PRINCIPAL, role=CONTRIBUTOR, now_micros=clock.micros())

    await database.transact(assign, TURN)
    return DevelopmentIssuer(endpoint, clock)


class DevelopmentIssuer:
    """One of the issuers, and what it answers below `PREFIX`."""

    tenants = (TENANT,)

    def __init__(self, endpoint: str, clock: Clock) -> None:
        self.address = f"{endpoint.rstrip('/')}/{TENANT}/v2.0"
        self._base = f"{endpoint.rstrip('/')}/{TENANT}"
        self._adfs = f"{endpoint.rstrip('/')}/{ADFS}"
        self._clock = clock
        self._key = development_key()
        self._key_set = KeySet([self._key.verification_key()])

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [_binding(doors, method, path, function=function) for method, path, function in self._functions()]

    def _functions(self) -> list[tuple[str, str, Callable[[Request], Awaitable[RawAnswer]]]]:
        return [
            ("GET", PREFIX + "v2.0/.well-known/openid-configuration", self.discover),
            ("GET", PREFIX + ".well-known/openid-configuration", self.discover),
            ("GET", PREFIX + "discovery/v2.0/keys", self.show_keys),
            ("POST", PREFIX + "oauth2/v2.0/token", self.give_token),
            ("GET", PREFIX + "identity", self.give_identity_token),
            ("POST", PREFIX + "user-token", self.give_user_token),
            ("GET", f"/{ADFS}/.well-known/openid-configuration", self.discover_adfs),
            ("POST", f"/{ADFS}/oauth2/token", self.give_token),
        ]

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

    async def discover(self, request: Request) -> RawAnswer:
        del request
        return self._describe(f"{self._base}/oauth2/v2.0")

    async def discover_adfs(self, request: Request) -> RawAnswer:
        del request
        return self._describe(f"{self._adfs}/oauth2")

    def _describe(self, where: str) -> RawAnswer:
        return _json(
            issuer=self.address,
            jwks_uri=f"{self._base}/discovery/v2.0/keys",
            token_endpoint=f"{where}/token",
            authorization_endpoint=f"{where}/authorize",
            response_types_supported=["code"],
            subject_types_supported=["pairwise"],
            id_token_signing_alg_values_supported=["RS256"],
        )

    async def show_keys(self, request: Request) -> RawAnswer:
        del request
        return RawAnswer(self._key_set.to_json(), (("content-type", "application/jwk-set+json"),))

    async def give_token(self, request: Request) -> RawAnswer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refusal(400, "unsupported_grant_type", "Only client_credentials is served here.")
        is_known = form.get("client_id") == APPLICATION and _is_same(form.get("client_secret", ""), SECRET)
        if not is_known:
            return _refusal(401, "invalid_client", "The client id or the client secret is wrong.")
        token, _ = self.application_token(form.get("scope", "").partition(" ")[0].removesuffix(_DEFAULT_SCOPE))
        return _json(token_type="Bearer", expires_in=_LIFETIME_SECONDS, access_token=token)

    async def give_identity_token(self, request: Request) -> RawAnswer:
        of_2017 = request.query.get("api-version") == _VERSION_OF_2017
        header = "Secret" if of_2017 else "X-IDENTITY-HEADER"
        if not _is_same(request.headers.get(header.lower(), ""), HEADER):
            return _refusal(401, "unauthorized", f"The header {header} is missing or wrong.")
        resource = request.query.get("resource", "")
        token, expires = self.application_token(resource)
        return _json(
            access_token=token,
            expires_on=_moment_of_2017(expires) if of_2017 else str(expires),
            resource=resource,
            token_type="Bearer",
            client_id=APPLICATION,
        )

    async def give_user_token(self, request: Request) -> RawAnswer:
        # A web page cannot send this header without asking first, and is not answered then.
        if not _is_same(request.headers.get("x-identity-header", ""), HEADER):
            return _refusal(401, "unauthorized", "The X-IDENTITY-HEADER is missing or wrong.")
        try:
            wanted = msgspec.json.decode(request.body or b"{}", type=UserTokenRequest)
        except (ValueError, RecursionError) as error:
            return _refusal(400, "invalid_request", f"{error}.")
        if not (parse_guid(wanted.oid) and parse_guid(wanted.tid)):
            return _refusal(400, "invalid_request", "The oid and the tid have to be guids.")
        if abs(wanted.minutes) > _LONGEST_MINUTES:
            return _refusal(400, "invalid_request", f"The minutes are at most {_LONGEST_MINUTES}.")
        token, expires = self.user_token(wanted)
        return _json(access_token=token, expires_on=str(expires), token_type="Bearer")

    def _sign(self, said: Mapping[str, Any], lifetime_seconds: int) -> tuple[str, int]:
        now = self._clock.micros() // 1_000_000
        expires = now + lifetime_seconds
        begins = min(now, expires) - 1
        claims = {"iss": self.address, "iat": begins, "nbf": begins, "exp": expires, "ver": "1.0", **said}
        message = self._key.header + b"." + encode_base64url(msgspec.json.encode(claims)).encode("ascii")
        return f"{message.decode('ascii')}.{encode_base64url(self._key.sign(message))}", expires


def _is_same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode(), known.encode())


def _moment_of_2017(seconds: int) -> str:
    """Observed: for this version @azure/identity 1.5.2 reads "06/20/2019 02:57:58 +00:00" with `Date.parse`, which
    makes nothing of a number of seconds.
    """
    return f"{to_datetime(seconds * 1_000_000):%m/%d/%Y %H:%M:%S} +00:00"


def _binding(
    doors: Doors, method: str, path: str, *, function: Callable[[Request], Awaitable[RawAnswer]]
) -> AnyBinding:
    async def answer(call: Call[None]) -> RawAnswer:
        return await function(call.request)

    operation = Operation("Development_Issuer", method, path, 200, None, "")
    return Binding(operation, answer, doors.nobody, "waits")


def _json(status: int = 200, **members: Any) -> RawAnswer:
    return RawAnswer(msgspec.json.encode(members), _JSON, status)


def _refusal(status: int, code: str, sentence: str) -> RawAnswer:
    """A refusal has the shape of RFC 6749, section 5.2."""
    return _json(status, error=code, error_description=sentence)
