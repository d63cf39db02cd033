"""The operations for verifiers: the key set, introspection, revocation of one token, and the feed.

Introspection and revocation are the server's own doors: they read committed state, and are exact from the
acknowledgement of a revocation on. The feed is for verifiers that check offline, within a stated bound.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from watchword.errors import InvalidQuery, InvalidToken, NotAuthenticated
from watchword.keyring.keyring import Keyring
from watchword.resources.credentials import Credentials
from watchword.resources.issuers import Issuers
from watchword.resources.store import Resource
from watchword.rest.call import AnyBinding, Binding, Call, Event, EventStream, RawAnswer
from watchword.rest.callers import Caller, Right
from watchword.rest.doors import Doors
from watchword.rest.resource_hosts import ResourceHosts
from watchword.revocations.feed import Feed, Page
from watchword.revocations.revocations import Revocations
from watchword.subjects.subjects import Subjects
from watchword.tokens.claims import Claims
from watchword.tokens.verifier import read_signed, require_in_time
from watchword.wire import verification as wire

DEFAULT_WAIT_SECONDS: Final = 0
LONGEST_WAIT_SECONDS: Final = 60
HEARTBEAT_SECONDS: Final = 1.0

_LONGEST_MAX_AGE_SECONDS = 300
_NO_STORE = (("content-type", "application/json"), ("cache-control", "no-store"))


class VerificationOperations:
    def __init__(
        self,
        credentials: Credentials,
        keyring: Keyring,
        revocations: Revocations,
        *,
        issuers: Issuers,
        hosts: ResourceHosts,
        subjects: Subjects,
        feed: Feed,
    ) -> None:
        self._credentials = credentials
        self._keyring = keyring
        self._issuers = issuers
        self._hosts = hosts
        self._revocations = revocations
        self._subjects = subjects
        self._feed = feed

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(wire.KEY_SET, self.key_set, doors.nobody, "waits"),
            Binding(wire.DISCOVERY, self.discover, doors.nobody, "waits"),
            Binding(wire.INTROSPECT, self.introspect, doors.verifiers),
            Binding(wire.REVOKE_TOKEN, self.revoke, doors.clients, work="writes"),
            Binding(wire.REVOCATIONS, self.feed, doors.verifiers, work="waits"),
        ]

    async def key_set(self, call: Call[None]) -> RawAnswer:
        body = (await self._keyring.key_set()).to_json()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = (("etag", tag), ("cache-control", f"public, max-age={self._key_set_age()}"))
        if tag in call.request.headers.get("if-none-match", ""):
            return RawAnswer(b"", headers, 304)
        return RawAnswer(body, (*headers, ("content-type", "application/jwk-set+json")))

    async def discover(self, call: Call[None]) -> RawAnswer:
        """The issuer is one text, whoever asks; the addresses are those under which the caller reached us."""
        origin = call.request.origin
        body = wire.DiscoveryBody(
            issuer=self._issuers.of(self._hosts.name(call.request)),
            jwks_uri=origin + wire.KEY_SET.path,
            introspection_endpoint=origin + wire.INTROSPECT.path,
            revocation_endpoint=origin + wire.REVOKE_TOKEN.path,
            id_token_signing_alg_values_supported=sorted({key.algorithm for key in await self._keyring.key_set()}),
            # There is nothing to sign in to; the two are there because the specification wants them.
            response_types_supported=("none",),
            subject_types_supported=("public",),
        )
        cached = ("cache-control", f"public, max-age={self._key_set_age()}")
        return RawAnswer(msgspec.json.encode(body), (cached, ("content-type", "application/json")))

    async def introspect(self, call: Call[Caller]) -> RawAnswer:
        token = wire.read_token_form(call.request.body, "token")["token"]
        try:
            claims = await self._prove(token, call)
        except InvalidToken as error:
            answer = wire.IntrospectionBody(active=False, reason=error.reason if _may_know(error, call) else None)
        else:
            answer = _active(claims)
        return RawAnswer(msgspec.json.encode(answer), _NO_STORE)

    async def revoke(self, call: Call[Caller]) -> RawAnswer:
        """A token that proves nothing, or is of another resource, changes nothing and is no error (RFC 7009, 2.2)."""
        form = wire.read_token_form(call.request.body, "token", "token_id")
        named = form.get("token_id", "")
        token_ids = {named} if _TOKEN_ID.fullmatch(named) else set()
        with contextlib.suppress(InvalidToken):
            claims = read_signed(form.get("token", ""), await self._keyring.key_set()).claims
            if claims.resourceId == call.caller.resource.id:
                token_ids.add(claims.jti)
        for token_id in token_ids:
            await self._revocations.revoke_token(token_id, call.caller.resource.number)
        return RawAnswer(b"", (("cache-control", "no-store"),))

    async def feed(self, call: Call[Caller]) -> RawAnswer | EventStream:
        since = call.request.query.get("since")
        caller = call.caller
        if "text/event-stream" in call.request.headers.get("accept", ""):
            return EventStream(self._events(caller, call.request.headers.get("last-event-id", since)))
        page = await self._feed.wait(caller.resource.number, since, _wait_seconds(call))
        if not await self._may_read(caller, page):
            raise NotAuthenticated("The credential was deleted while the request waited.")
        return RawAnswer(msgspec.json.encode(_page_body(caller.resource, page)), _NO_STORE)

    async def _events(self, caller: Caller, since: str | None) -> AsyncGenerator[Event, None]:
        while not self._feed.is_closed:
            page = await self._feed.wait(caller.resource.number, since, HEARTBEAT_SECONDS)
            if not await self._may_read(caller, page):
                return
            since = page.cursor
            # An empty page is sent too: it tells the listener how fresh it is.
            body = msgspec.json.encode(_page_body(caller.resource, page))
            yield Event("revocations", page.cursor, body)

    def _key_set_age(self) -> int:
        # Whoever keeps the set for this long still knows every key that signs: a new one is published earlier.
        return min(_LONGEST_MAX_AGE_SECONDS, int(self._keyring.schedule.key_set_age.total_seconds()))

    async def _may_read(self, caller: Caller, page: Page) -> bool:
        """Whether the caller is still who it proved to be before it waited, or is told that its resource is gone."""
        is_farewell = any(row.kind == "resource" and row.deleted for row in page.rows)
        return is_farewell or caller.credential is None or await self._credentials.is_in_force(caller.credential)

    async def _prove(self, token: str, call: Call[Caller]) -> Claims:
        proof = read_signed(token, await self._keyring.key_set())
        if proof.claims.resourceId != call.caller.resource.id:
            raise InvalidToken("resource", "The token is of another resource.")
        require_in_time(proof.claims, call.now)
        number = call.caller.resource.number
        await self._subjects.require_live(number, proof.claims, proof.key.kid)
        return proof.claims


_TOKEN_ID = re.compile("[0-9a-f]{32}")
"""What never was an id of a token is not recorded."""


def _may_know(error: InvalidToken, call: Call[Caller]) -> bool:
    """Why a token is refused is told to its resource's owner only; of a foreign one nobody learns even that."""
    return Right.MANAGE in call.caller.rights and error.check in ("expiry", "issued", "revoked")


def _active(claims: Claims) -> wire.IntrospectionBody:
    return wire.IntrospectionBody(
        active=True,
        scope=claims.acsScope.replace(",", " "),
        sub=f"8:{claims.skypeid}",
        exp=claims.exp,
        iat=claims.iat,
        jti=claims.jti,
        token_type="Bearer",
        resource=claims.resourceId,
        iss=claims.iss,
        aud=claims.aud,
    )


def _page_body(resource: Resource, page: Page) -> wire.RevocationPage:
    entries = [
        wire.Revocation(row.kind, row.subject, row.generation, row.valid_from_micros, bool(row.deleted))
        for row in page.rows
    ]
    return wire.RevocationPage(resource.id, page.cursor, entries, page.is_snapshot, page.more)


def _wait_seconds(call: Call[Caller]) -> float:
    text = call.request.query.get("wait", str(DEFAULT_WAIT_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        raise InvalidQuery("wait", f"It must be a number of seconds from 0 to {LONGEST_WAIT_SECONDS}.")
    return seconds
