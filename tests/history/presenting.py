"""The processes that present every token once more: at each node's door, to new verifiers, and to an old one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.history.events import Issued, Log, Occasion, Presented, Tail, events
from tests.history.plan import Plan
from tests.history.service import Address, Service
from tests.history.verdict import FRESH
from tests.support.faked_clock import micros_ahead
from watchword.client import InvalidToken, TokenVerifier, VerifierCredential
from watchword.clock import SystemClock
from watchword.tokens.jwks import encode_base64url

_PATIENCE_SECONDS = 30.0
_RETRY_SECONDS = 0.05
_HOP_SECONDS = 9 * 3_600


class ClockByFile:
    """The clock of a machine that has no clock of the service's."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._system = SystemClock()

    def micros(self) -> int:
        return self._system.micros() + micros_ahead(self._file)


def ask_door(plan: Plan, when: str, where: str, address: Address) -> None:
    log = Log(plan.log(f"{where}, {when}"))
    service = Service([address], plan.keys[0], log, plan.clocks)

    def is_active(token: Issued) -> bool:
        end = time.monotonic() + _PATIENCE_SECONDS
        while (answer := service.introspect(token.token)) is None:
            assert time.monotonic() < end, f"{where} does not answer"
            time.sleep(_RETRY_SECONDS)
        return bool(answer.json["active"])

    _present(plan, when, where, is_active, log)


def verify_anew(plan: Plan, when: str, where: str, address: Address) -> None:
    """By a verifier that takes its first snapshot now."""
    log = Log(plan.log(f"{where}, {when}"))
    with TokenVerifier(_endpoint(address), VerifierCredential(plan.credential), clock=_clock(plan)) as verifier:
        _present(plan, when, where, lambda token: _accepts(verifier, token.token), log)


def verify_all_along(plan: Plan, where: str, address: Address) -> None:
    """By one that follows the feed from the beginning, while the days pass; until it is killed."""
    log, occasions = Log(plan.log(where)), Tail(plan.log("occasions"))
    passed = 0

    def steady() -> float:
        return time.monotonic() + passed

    credential = VerifierCredential(plan.credential)
    with TokenVerifier(_endpoint(address), credential, clock=_clock(plan), steady=steady) as verifier:
        while True:
            for occasion in occasions.read():
                assert isinstance(occasion, Occasion)
                while passed < micros_ahead(plan.folder / STEADY) // 1_000_000:
                    # Its key set is renewed all along, as it would have been.
                    passed += _HOP_SECONDS
                    _accepts(verifier, _of_unknown_key(passed))
                _present(plan, occasion.when, where, lambda token: _accepts(verifier, token.token), log)
                log.write(Occasion(time.monotonic_ns(), occasion.when))
            time.sleep(_RETRY_SECONDS)


CLOCK, STEADY = "verifiers.clock", "verifiers.steady"
"""Files: how far time has gone for verifiers, by a clock that is set, and by the one that only ever goes on."""


def _present(plan: Plan, when: str, where: str, is_accepted: Callable[[Issued], bool], log: Log) -> None:
    for token in _tokens(plan, when):
        log.write(Presented(time.monotonic_ns(), when, where, token.jti, is_accepted(token)))


def _tokens(plan: Plan, when: str) -> Iterator[Issued]:
    # The fresh ones first, before an unknown key of an old one has used up the right to ask for keys.
    paths = [plan.log(f"{FRESH}{when}"), *sorted(plan.folder.glob(f"{FRESH}*.log")), *plan.issuers]
    for path in dict.fromkeys(paths):
        for event in events(path):
            if isinstance(event, Issued):
                yield event


def _of_unknown_key(number: int) -> str:
    head = msgspec.json.encode({"alg": "ES256", "typ": "JWT", "kid": f"unknown-{number}"})
    return ".".join(encode_base64url(part) for part in (head, b"{}", b"no signature"))


def _accepts(verifier: TokenVerifier, token: str) -> bool:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            verifier.verify(token)
        except InvalidToken as refused:
            if refused.check != "stale":
                return False
            assert time.monotonic() < end, "a verifier stays stale"
            time.sleep(_RETRY_SECONDS)
            continue
        return True


def _clock(plan: Plan) -> ClockByFile:
    return ClockByFile(plan.folder / CLOCK)


def _endpoint(address: Address) -> str:
    return f"http://{address[0]}:{address[1]}"
