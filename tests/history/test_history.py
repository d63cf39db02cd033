"""Histories of issuers, revokers and verifiers in processes of their own, through kills, stops and cut wires."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.history.plan import BUGS, MAX_STALENESS, Bug
from tests.history.run import HEALTHY, SEVERAL
from tests.history.verdict import Verdict, judge
from tests.support.engines import DATABASES
from tests.support.requirements import PROJECT, require

require(sys.platform == "linux", "histories are written on a clock that all processes share, which is Linux's")

ROUNDS_OF_MINUTES = 20
ROUNDS_OF_FIVE_MINUTES = 20
SECONDS_OF_A_ROUND = 30
RUNS = 20

OF_THE_DATABASE = {"database killed", "database restarted"}

LATE = {"accepted later than max_staleness", "accepted later than the bound while connected"}

CAUGHT_BY: dict[Bug, set[str]] = {
    "late feed": LATE,
    "inclusive comparison": {"a live token refused as revoked"},
    "seconds for microseconds": LATE,
    "skipped entry": LATE,
}


def history(folder: Path, rounds: int, seed: int, bugs: Iterable[Bug] = (), *, several: bool = False) -> Verdict:
    """Of the verifiers that are as they should be, and of one more for each bug; on one node or on several."""
    folder.mkdir(exist_ok=True)
    words = [*bugs, SEVERAL] if several else bugs
    command = [sys.executable, "-m", "tests.history.run", str(folder), str(rounds), str(seed), *words]
    environment = {**os.environ, "WATCHWORD_DATABASE": "" if several else DATABASES.address(folder)}
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            assert process.wait(60 + rounds * SECONDS_OF_A_ROUND) == 0
        finally:
            process.terminate()
    verdict = judge(folder, [*HEALTHY, *bugs], round(MAX_STALENESS.total_seconds() * 1e9))
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


def is_caught(verdict: Verdict, bug: Bug) -> bool:
    return any(finding.rule in CAUGHT_BY[bug] for finding in verdict.accounts[bug].findings)


def test_history_keeps_every_promise_and_shows_every_planted_bug(tmp_path: Path) -> None:
    verdict = history(tmp_path, 1, 1, BUGS)
    require_telling(verdict)
    assert verdict.findings(*HEALTHY) == []
    assert [bug for bug in BUGS if not is_caught(verdict, bug)] == []


@pytest.mark.sqlite("it has a PostgreSQL of its own in either run")
def test_three_nodes_of_two_workers_on_one_database_keep_every_promise(tmp_path: Path) -> None:
    verdict = history(tmp_path, 1, 3, several=True)
    assert {outage.what for outage in verdict.outages} >= OF_THE_DATABASE
    assert verdict.refusals > 0, "nobody noticed that the database was away"
    assert verdict.findings(*HEALTHY) == []


@pytest.mark.soak
def test_five_minutes_on_three_nodes_keep_every_promise(tmp_path: Path) -> None:
    verdict = history(tmp_path, ROUNDS_OF_FIVE_MINUTES, 4, several=True)
    require_telling(verdict)
    assert verdict.findings(*HEALTHY) == []


@pytest.mark.soak
def test_minutes_of_history_keep_every_promise(tmp_path: Path) -> None:
    verdict = history(tmp_path, ROUNDS_OF_MINUTES, 2)
    require_telling(verdict)
    assert verdict.findings(*HEALTHY) == []


@pytest.mark.soak
def test_each_planted_bug_is_caught_in_19_of_20_runs(tmp_path: Path) -> None:
    caught: Counter[Bug] = Counter()
    for seed in range(1, RUNS + 1):
        verdict = history(tmp_path / str(seed), 1, seed, BUGS)
        assert verdict.findings(*HEALTHY) == []
        caught.update(bug for bug in BUGS if is_caught(verdict, bug))
    print(dict(caught))
    assert all(caught[bug] >= RUNS - 1 for bug in BUGS), caught
