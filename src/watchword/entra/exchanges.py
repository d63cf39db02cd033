"""The rules of exchanges: whose token is exchanged, for which scopes, as which user, and until when.

kind             who                                     becomes
teams            a user of Teams                         orgid:<object>
entra            a user, member of a group, or tenant    acs:<resource>_wf_<tenant>_<object>
teamsExtension   a user or resource account              acs:<resource>_<tenant>_<object>

Source: identity.md sections 1.7 to 1.9, 7.1. The result expires with the token that was brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchword.clock import Clock, ServiceClock
from watchword.entra import store
from watchword.entra.assignments import covers, subject
from watchword.entra.provider_tokens import ProviderToken, require_audience, require_in_time
from watchword.entra.store import Kind
from watchword.errors import InvalidToken, NotAllowed
from watchword.identifiers import parse_guid
from watchword.keyring.keyring import Keyring
from watchword.resources.issuers import Issuers
from watchword.resources.store import Resource
from watchword.storage import Database
from watchword.storage.clock_watch import ClockWatch
from watchword.subjects.exchanged_users import ExchangedUsers
from watchword.tokens.claims import LONGEST_LIFETIME, new_claims
from watchword.tokens.issuer import sign

USER_AUDIENCES = frozenset(
    {
        "https://communication.azure.com/clients",
        "https://communication.azure.com/clients/",
        "2a04943b-b6a7-4f65-8786-2bb6131b59f6",
    }
)
"""Source: identity.md section 7.1: the scopes' prefix, and Microsoft's application.

Assumed: a token for the exchange has one of these audiences, which no recording shows.
"""

EXTENSION_AUDIENCES = frozenset(
    {
        *(f"https://auth.msft.communication.azure.com{slash}" for slash in ("", "/")),
        *(f"https://auth.msft.communication.azure.us{slash}" for slash in ("", "/")),
        "1fd5118e-2576-4263-8130-9503064c837a",
    }
)
"""Source: the prefixes of the scopes. The guid is the application that Microsoft serves them under.

Assumed: Teams tokens and those of Teams Phone have one of these audiences.
"""

NOT_ASSIGNED = "No assignment here covers the user (oid, groups, tid) and the application of the token."

_TEAMS_SCOPES = {"Teams.ManageChats": "chat", "Teams.ManageCalls": "voip"}
_SCOPES: Mapping[Kind, Mapping[str, str]] = {
    "entra": {
        "Chat": "chat",
        "Chat.Join": "chat.join",
        "Chat.Join.Limited": "chat.join.limited",
        "VoIP": "voip",
        "VoIP.Join": "voip.join",
    },
    # Assumed: the one published scope of Teams Phone allows calling.
    "teamsExtension": {"TeamsExtension.ManageCalls": "voip"},
}
_LONGEST_SECONDS = int(LONGEST_LIFETIME.total_seconds())


@dataclass(frozen=True, slots=True)
class ExchangedToken:
    """`identity` is the user's, as clients name it."""

    identity: str
    token: str
    expires_micros: int


class Exchanges:
    """Issues tokens for users that others vouch for. No access key asked for them: replacing one leaves them alive."""

    def __init__(
        self,
        database: Database,
        users: ExchangedUsers,
        keyring: Keyring,
        *,
        issuers: Issuers,
        clock: Clock,
        clock_watch: ClockWatch,
        service_clock: ServiceClock,
    ) -> None:
        self._database = database
        self._users = users
        self._keyring = keyring
        self._issuers = issuers
        self._clock = clock
        self._clock_watch = clock_watch
        self._service_clock = service_clock

    async def resources_of(self, token: ProviderToken, kind: Kind) -> list[Resource]:
        """Where the user, or a group or tenant of the user's, is assigned.

        Raises:
            NotAllowed: the token names no user.
        """
        if not parse_guid(token.object_id) or not parse_guid(token.tenant):
            raise NotAllowed("The Entra ID token names no user (oid) of a tenant (tid), both by guid.")
        objects = sorted({token.object_id, token.tenant, *token.groups})
        found = await store.find_assignments(self._database, kind, objects)
        resources = {resource.number: resource for resource, each in found if covers(each, token)}
        return list(resources.values())

    async def exchange(self, resource: Resource, token: ProviderToken, kind: Kind) -> ExchangedToken:
        """Exchanges the token of a user of whom `resources_of` knows the resource.

        Raises:
            NotAllowed: the token has none of the scopes that can be exchanged, or the assignment is gone meanwhile.
            InvalidToken: check `expiry`.
        """
        scopes = _granted(token, _SCOPES[kind])
        if not scopes:
            needed = ", ".join(_SCOPES[kind])
            raise NotAllowed(f"The Entra ID token has none of the scopes (scp) that can be exchanged: {needed}.")
        user = subject(resource, kind, token.tenant, object_id=token.object_id)
        generation = await self._users.generation(resource.number, user)
        # Only after the generation was read: a deletion that is committed before is seen here, and one that is
        # committed later has raised the generation, so that what is issued here is dead.
        if resource.number not in {each.number for each in await self.resources_of(token, kind)}:
            raise NotAllowed(NOT_ASSIGNED)
        return await self._issue(resource, user, generation, scopes=scopes, token=token)

    def require_teams_user(self, token: ProviderToken, now_micros: int) -> None:
        """Let a token pass that is of a Teams user and for this exchange.

        Raises:
            InvalidToken: check `audience`, `claims`, `scope` or `expiry`.
        """
        require_audience(token, EXTENSION_AUDIENCES)
        require_in_time(token, now_micros, leeway_micros=0)
        if token.is_application or not parse_guid(token.object_id):
            raise InvalidToken("claims", "The Entra ID token is not of a user.")
        if not _granted(token, _TEAMS_SCOPES):
            raise InvalidToken("scope", "The Entra ID token has no scope of Teams.")

    async def exchange_teams(self, resource: Resource, token: ProviderToken) -> ExchangedToken:
        """Exchanges the token of a user that `require_teams_user` let pass, for the resource's own caller who asks.

        Raises:
            InvalidToken: check `expiry`.
        """
        user = f"orgid:{token.object_id}"
        generation = await self._users.generation(resource.number, user)
        return await self._issue(resource, user, generation, scopes=_granted(token, _TEAMS_SCOPES), token=token)

    async def _issue(
        self, resource: Resource, user: str, generation: int, *, scopes: tuple[str, ...], token: ProviderToken
    ) -> ExchangedToken:
        now = self._clock.micros()
        service_now = self._service_clock.at(now, resource.number)
        # Without leeway: what is issued must not be expired already.
        require_in_time(token, service_now, leeway_micros=0)
        claims = new_claims(
            user,
            scopes,
            resource_id=resource.id,
            location=resource.location,
            generation=generation,
            resource_generation=resource.generation,
            now_micros=now,
            issued_micros=await self._clock_watch.stamp(now, resource.valid_from_micros),
            expires=min(token.expires_micros // 1_000_000, service_now // 1_000_000 + _LONGEST_SECONDS),
            access_key=None,
            issuer=self._issuers.named_in_tokens(resource),
        )
        signed = sign(claims, await self._keyring.signing_key())
        return ExchangedToken(f"8:{user}", signed, claims.exp * 1_000_000)


def _granted(token: ProviderToken, known: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(scope for name, scope in known.items() if name in token.scopes)
