"""The processes that call the service: issuers, revokers, one who asks at its door. They run until killed."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.history.events import Acknowledged, Created, Introspected, Issued, Listed, Log, Missing, Revoking
from tests.history.plan import OLDEST_REVOKED_SECONDS, Plan
from tests.history.room_events import Entered
from tests.history.service import CHAT_VERSION, Answer, Service
from tests.history.watching import Recent
from watchword.clock import SystemClock, to_datetime
from watchword.tokens import Claims, key_id
from watchword.tokens.jwks import decode_base64url

ISSUES_PER_SECOND = 10
EVICTIONS_PER_SECOND = 1.0
REVOCATIONS_PER_SECOND = 6
INTROSPECTIONS_PER_SECOND = 25

_IDENTITIES = 20
_YOUNGEST_REVOKED_NANOS = 60_000_000
_EVICTED_SECONDS = 8.0
_A_MOMENT_MICROS = 20_000
_RETRY_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Deed:
    """One revocation. `absence_is_success`: that its subject is gone may be an earlier attempt's work."""

    kind: str
    subject: str
    send: Callable[[], Answer | None]
    valid_from_micros: int = 0
    absence_is_success: bool = False


def issue(plan: Plan, number: int) -> None:
    """Tokens for a few identities, by one of the access keys; a deleted identity is replaced by a new one."""
    random.seed(f"{plan.seed} issuer {number}")
    log = Log(plan.issuers[number])
    service = Service(plan.addresses, plan.keys[number], log, plan.clocks)
    identities: list[str] = []
    for _ in turns(ISSUES_PER_SECOND):
        while len(identities) < _IDENTITIES:
            created = service.create()
            if created is None:
                time.sleep(_RETRY_SECONDS)
            else:
                identities.append(created.json["identity"]["id"])
                log.write(Created(time.monotonic_ns(), identities[-1]))
        identity = random.choice(identities)
        began = time.monotonic_ns()
        answer = service.issue(identity)
        replied = time.monotonic_ns()
        if answer is None:
            continue
        if answer.status == 200:
            log.write(issued(began, replied, identity, answer.json["token"]))
        else:
            log.write(Missing(replied, identity))
            identities.remove(identity)


def revoke(plan: Plan, number: int) -> None:
    """Young tokens, by every kind of revocation that has a door; each is introspected right after."""
    random.seed(f"{plan.seed} revoker {number}")
    log = Log(plan.log(f"revoker-{number}"))
    service = Service(plan.addresses, plan.keys[0], log, plan.clocks)
    recent = Recent(plan.issuers, OLDEST_REVOKED_SECONDS)
    for turn in turns(REVOCATIONS_PER_SECOND):
        newest = time.monotonic_ns() - _YOUNGEST_REVOKED_NANOS
        if candidates := [token for token in recent.look() if token.replied < newest]:
            token = random.choice(candidates)
            _carry_out(_draw(token, service, plan), f"{number}-{turn}", log)
            _introspect(token, service, log)
            _enter(token, service, log)


def evict(plan: Plan) -> None:
    """The tokens by which listeners have sockets; whoever loses one asks for another."""
    random.seed(f"{plan.seed} evictions")
    log = Log(plan.log("evictions"))
    service = Service(plan.addresses, plan.keys[0], log, plan.clocks)
    recent = Recent([plan.log(name) for name in plan.listeners], _EVICTED_SECONDS)
    for turn in turns(EVICTIONS_PER_SECOND):
        if tokens := recent.look():
            # Nobody is deleted: who speaks goes on speaking.
            deed = random.choice(_deeds(random.choice(tokens), service, plan)[:3])
            _carry_out(deed, f"eviction-{turn}", log)


def ask_at_the_door(plan: Plan) -> None:
    """Introspect live and dead tokens alike, and show them to chat."""
    random.seed(f"{plan.seed} door")
    log = Log(plan.log("door"))
    service = Service(plan.addresses, plan.keys[0], log, plan.clocks)
    recent = Recent(plan.issuers, plan.watched_seconds)
    for _ in turns(INTROSPECTIONS_PER_SECOND):
        if tokens := recent.look():
            _introspect(random.choice(tokens), service, log)
            _enter(random.choice(tokens), service, log)


def list_all(plan: Plan) -> None:
    """Once, at the end: what is there."""
    log = Log(plan.log("listed"))
    service, found, continuation = Service(plan.addresses, plan.keys[0], log, plan.clocks), [], ""
    began = time.monotonic_ns()
    while True:
        answer = service.list(continuation)
        if answer is None:
            time.sleep(_RETRY_SECONDS)
            continue
        found += [row["id"] for row in answer.json["value"]]
        query = parse_qs(urlsplit(answer.json.get("nextLink", "")).query)
        if not query:
            break
        continuation = f"&continuationToken={query['continuationToken'][0]}"
    log.write(Listed(began, found))


def _draw(token: Issued, service: Service, plan: Plan) -> Deed:
    # What lives on after a revocation is what a wrong comparison refuses, so identities are seldom deleted.
    return random.choices(_deeds(token, service, plan), (3, 3, 4, 1))[0]


def _deeds(token: Issued, service: Service, plan: Plan) -> tuple[Deed, ...]:
    """What ends a token; the last of them deletes its identity."""
    # Right at the token's own issue time, which is the first that lives, or one microsecond above it.
    valid_from = token.iat_micros + random.choice((0, 1, 1))
    if plan.clocks and random.random() < 0.5:
        # By a right clock, whatever the clock said that stamped the token.
        valid_from = SystemClock().micros() - _A_MOMENT_MICROS
    text = to_datetime(valid_from).isoformat(timespec="microseconds")
    identity = token.identity
    return (
        Deed("token", token.jti, lambda: service.revoke_token(token.jti)),
        Deed("identity", identity, lambda: service.revoke_identity(identity)),
        Deed("cut off", identity, lambda: service.cut_off_identity(identity, text), valid_from),
        Deed("delete", identity, lambda: service.delete_identity(identity), absence_is_success=True),
    )


def _carry_out(deed: Deed, number: str, log: Log) -> None:
    """Attempt it until somebody answers."""
    while True:
        log.write(Revoking(time.monotonic_ns(), number, deed.kind, deed.subject, deed.valid_from_micros))
        answer = deed.send()
        at = time.monotonic_ns()
        if answer is not None:
            break
        time.sleep(_RETRY_SECONDS)
    # Of an identity that another revoker deleted first nothing more was promised.
    if answer.status < 300 or (answer.status == 404 and deed.absence_is_success):
        log.write(Acknowledged(at, number))
    elif answer.status == 404:
        log.write(Missing(at, deed.subject, number))


def _introspect(token: Issued, service: Service, log: Log) -> None:
    began = time.monotonic_ns()
    answer = service.introspect(token.token)
    if answer is not None and answer.status == 200:
        log.write(Introspected(began, time.monotonic_ns(), token.jti, answer.json["active"]))


def _enter(token: Issued, service: Service, log: Log) -> None:
    began = time.monotonic_ns()
    answer = service.ask_as_user(token.token, "GET", f"/chat/threads?api-version={CHAT_VERSION}")
    if answer is not None:
        log.write(Entered(began, time.monotonic_ns(), token.jti, answer.status != 401))


def issued(began: int, replied: int, identity: str, token: str) -> Issued:
    claims = msgspec.json.decode(decode_base64url(token.split(".")[1]), type=Claims)
    return Issued(began, replied, claims.jti, identity, key_id(token), claims.accessKey or "", claims.iatMicros, token)


def turns(per_second: float) -> Iterator[int]:
    """So many, never in step with another process."""
    for turn in itertools.count():
        time.sleep(random.uniform(0.5, 1.5) / per_second)
        yield turn
