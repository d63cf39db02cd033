"""Histories of issuers, revokers and verifiers in processes of their own, through kills, stops and cut wires."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from tests.history.hearing_events import (
    ADDED,
    CUT,
    DELETED,
    DUPLICATE,
    LEFT,
    RECEIVED,
    REMOVED,
    UNAUTHORIZED,
)
from tests.history.plan import BUGS, MAX_STALENESS, ROOM_BUGS, Bug, RoomBug
from tests.history.run import A_DAY_OFF, HEALTHY, SEVERAL
from tests.history.verdict import Verdict, judge
from tests.support.engines import DATABASES
from tests.support.faked_clock import require_faked_clocks
from tests.support.requirements import PROJECT, require

require(sys.platform == "linux", "histories are written on a clock that all processes share, which is Linux's")

ROUNDS = int(os.environ.get("WATCHWORD_SOAK_ROUNDS", "20"))
"""Of a history of minutes: so many take five, or a little more."""

SECONDS_OF_A_ROUND = 90
"""A round has taken a quarter of it at the most, on a busy machine; whoever hangs is found out all the same."""

RUNS = 20

OF_THE_DATABASE = {"database killed", "database restarted"}

LATE = {"accepted later than max_staleness", "accepted later than the bound while connected"}

CAUGHT_BY: dict[Bug, set[str]] = {
    "late feed": LATE,
    "inclusive comparison": {"a live token refused as revoked"},
    "seconds for microseconds": LATE,
    "skipped entry": LATE,
}

IN_ROOMS: dict[RoomBug, set[str]] = {
    "message lost": {"an acknowledged message is gone", "numbers and ids are not in order"},
    "message twice": {"a message is there twice"},
    "messages out of order": {"a message comes after one that was sent later"},
    "removal undone": {"a removed member wrote"},
    "open door": {"let into chat when dead"},
}
"""Each of these is found."""


def history(
    folder: Path, rounds: int, seed: int, bugs: Iterable[Bug | RoomBug] = (), several: Sequence[str] = ()
) -> Verdict:
    """A history of verifiers and rooms as they should be, and of one more for each bug; on one node, or on several with
    what these words say.
    """
    folder.mkdir(exist_ok=True)
    words = [*bugs, *several] if several else bugs
    command = [sys.executable, "-m", "tests.history.run", str(folder), str(rounds), str(seed), *words]
    environment = {**os.environ, "WATCHWORD_DATABASE": "" if several else DATABASES.address(folder)}
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            assert process.wait(60 + rounds * SECONDS_OF_A_ROUND) == 0
        finally:
            process.terminate()
    planted = [bug for bug in bugs if bug in BUGS]
    verdict = judge(folder, [*HEALTHY, *planted], round(MAX_STALENESS.total_seconds() * 1e9))
    print(f"\nseed {seed}", *verdict.lines(), sep="\n")
    return verdict


def require_telling(verdict: Verdict) -> None:
    """A history in which little happened proves nothing."""
    accounts = list(verdict.accounts.values())
    kinds = Counter(each.kind for each in verdict.truth.revocations.values() if each.acknowledged is not None)
    assert kinds.keys() == {"token", "identity", "cut off", "delete", "signing key", "access key", "resource"}
    outages = {outage.what for outage in verdict.outages}
    assert outages - OF_THE_DATABASE == {"node killed", "node stopped", "verifier stopped", "wires cut", "wires jammed"}
    assert verdict.introspections > 100
    assert sum(account.outcomes["stale"] for account in accounts) > 0, "no outage was long enough"
    for account in accounts:
        assert min(account.outcomes["accepted"], account.outcomes["revoked"]) > 500
        assert len(account.connected.accepted) > 10
    assert [fate for fate in verdict.truth.fates.values() if fate.dead_from is None], "no token lived"
    require_talk(verdict)
    require_hearing(verdict)


def require_talk(verdict: Verdict) -> None:
    """So it is with rooms. Who was removed is refused when sending; they may read what came before."""
    rooms = [verdict.rooms[name] for name in HEALTHY]
    answers = Counter(bool(each.id) for room in rooms for each in room.sent.values())
    assert answers[True] > 20, "hardly anybody spoke"
    assert answers[False] > 3, "who was removed said nothing"
    assert sum(each.items is not None for room in rooms for each in room.heard) > 10
    assert sum(acknowledged is not None for room in rooms for _, acknowledged in room.moves) > 10
    assert sum(acknowledged is not None for room in rooms for _, acknowledged in room.deletions.values()) > 0


def require_hearing(verdict: Verdict) -> None:
    """So it is with listeners, who are cut and evicted, and have connected anew."""
    listeners = verdict.listeners.values()
    ends = Counter(each.closed.how for log in listeners for each in log.sockets.values() if each.closed)
    assert ends[UNAUTHORIZED] > 3, ends
    assert ends[LEFT] + ends[CUT] + ends[DUPLICATE] > 3, ends
    for log in listeners:
        assert len(log.sockets) > 3, "hardly anybody came back"
        names = Counter(each.name for each in log.pushes)
        assert min(names[each] for each in (RECEIVED, DELETED, ADDED, REMOVED)) > 0, names


def is_caught(verdict: Verdict, bug: Bug) -> bool:
    return any(finding.rule in CAUGHT_BY[bug] for finding in verdict.accounts[bug].findings)


def test_history_keeps_every_promise_and_shows_every_planted_bug(tmp_path: Path) -> None:
    verdict = history(tmp_path, 1, 1, [*BUGS, *ROOM_BUGS])
    require_telling(verdict)
    assert verdict.findings(*HEALTHY) == []
    assert verdict.missing(*HEALTHY) == []
    # Which moments a short history holds is chance: what one of twenty does not show, another one has to.
    if left := [bug for bug in BUGS if not is_caught(verdict, bug)]:
        another = history(tmp_path / "another", 1, 2, left)
        assert [bug for bug in left if not is_caught(another, bug)] == []
    found = {bug: {each.rule for each in verdict.in_rooms if each.who == bug} for bug in ROOM_BUGS}
    assert {bug: rules - found[bug] for bug, rules in IN_ROOMS.items() if rules - found[bug]} == {}


@pytest.mark.lane("postgres")
def test_three_nodes_of_two_workers_on_one_database_keep_every_promise(tmp_path: Path) -> None:
    verdict = history(tmp_path, 1, 3, several=[SEVERAL])
    assert {outage.what for outage in verdict.outages} >= OF_THE_DATABASE
    assert verdict.refusals > 0, "nobody noticed that the database was away"
    require_talk(verdict)
    require_hearing(verdict)
    assert verdict.findings(*HEALTHY) == []
    assert verdict.missing(*HEALTHY) == []


@pytest.mark.soak
def test_five_minutes_on_three_nodes_keep_every_promise(tmp_path: Path) -> None:
    require_faked_clocks()
    verdict = history(tmp_path, ROUNDS, 4, several=[SEVERAL, A_DAY_OFF])
    require_telling(verdict)
    assert verdict.wrong_clocks, "no clock was wrong"
    assert verdict.findings(*HEALTHY) == []
    assert verdict.missing(*HEALTHY) == []


@pytest.mark.soak
def test_minutes_of_history_keep_every_promise(tmp_path: Path) -> None:
    verdict = history(tmp_path, ROUNDS, 2)
    require_telling(verdict)
    assert verdict.findings(*HEALTHY) == []
    assert verdict.missing(*HEALTHY) == []


@pytest.mark.soak
def test_each_planted_bug_is_caught_in_19_of_20_runs(tmp_path: Path) -> None:
    caught: Counter[Bug] = Counter()
    for seed in range(1, RUNS + 1):
        verdict = history(tmp_path / str(seed), 1, seed, BUGS)
        assert verdict.findings(*HEALTHY) == []
        caught.update(bug for bug in BUGS if is_caught(verdict, bug))
    print(dict(caught))
    assert all(caught[bug] >= RUNS - 1 for bug in BUGS), caught
