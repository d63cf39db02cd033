"""Histories with clocks: nodes that start 26 hours ahead, jump and drift; then days that pass, and a clock set back."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.history.clock_run import NO_GUARD, NO_MARK
from tests.history.plan import MAX_STALENESS
from tests.history.run import HEALTHY
from tests.history.verdict import Verdict, judge
from tests.support.engines import ENGINES
from tests.support.faked_clock import require_faked_clocks
from tests.support.requirements import PROJECT, require

require(sys.platform == "linux", "histories are written on a clock that all processes share, which is Linux's")
require_faked_clocks()

ROUNDS_OF_TEN_MINUTES = 4
SECONDS_OF_A_ROUND = 150
SECONDS_OF_OCCASIONS = 900

OCCASIONS = {"right again", "27 hours later", "set back by 27 hours", "at 27 hours again"}
LATER_OCCASIONS = {"50 hours later", "53 hours later"}
AHEAD = "a node that started 26 to 27 hours ahead"
WRONG = {AHEAD, "a node that jumped an hour ahead", "a node that jumped an hour back"}
WRONG |= {"a node that drifted for seven minutes"}
REVIVED = "accepted on an occasion when dead"


def history(folder: Path, engine: str, rounds: int, seed: int, *planted: str) -> Verdict:
    command = [sys.executable, "-m", "tests.history.clock_run", str(folder), engine, str(rounds), str(seed), *planted]
    # The engine is the run's own; a database that others name is none of its business.
    environment = {**os.environ, "WATCHWORD_DATABASE": ""}
    with subprocess.Popen(command, cwd=PROJECT, env=environment) as process:
        try:
            assert process.wait(SECONDS_OF_OCCASIONS + rounds * SECONDS_OF_A_ROUND) == 0
        finally:
            process.terminate()
    verdict = judge(folder, [*HEALTHY], round(MAX_STALENESS.total_seconds() * 1e9))
    print(f"\n{engine}, seed {seed}, {rounds} rounds, {planted}", *verdict.lines(), sep="\n")
    return verdict


def seconds_ahead(verdict: Verdict, jti: str) -> float:
    return verdict.truth.seconds_ahead(verdict.truth.fates[jti].token)


def require_telling(verdict: Verdict, occasions: set[str], *, several: bool) -> None:
    """A history in which little happened, or whose tokens nobody would have revived, proves nothing."""
    dead = Counter(fate.dead_from is not None for fate in verdict.truth.fates.values())
    assert dead[True] > 20
    shown = verdict.shown()
    accepted = {when for when, _, accepted in shown if accepted}
    assert {when for when, _, _ in shown} >= occasions
    assert {"right again", "27 hours later"} <= accepted, "what is good was refused"
    assert len(verdict.marks) > 0, "nothing was purged"
    assert {each.where for each in verdict.revived()} >= {"door of node 0", "new verifier 0"}
    if not several:
        # Nobody contradicted the node that was ahead, so it issued.
        assert any(seconds_ahead(verdict, each.jti) > 25 * 3_600 for each in verdict.revived())


@pytest.mark.sqlite("the run on PostgreSQL takes minutes")
def test_without_a_guard_no_purge_by_a_wrong_clock_revives_a_token(tmp_path: Path) -> None:
    verdict = history(tmp_path, "sqlite", 0, 1, NO_GUARD)
    require_telling(verdict, OCCASIONS, several=False)
    assert verdict.findings(*HEALTHY) == []


@pytest.mark.soak
@pytest.mark.sqlite("each run has an engine of its own")
@pytest.mark.parametrize("engine", ENGINES)
def test_without_guard_and_mark_revoked_tokens_are_accepted_and_found(tmp_path: Path, engine: str) -> None:
    verdict = history(tmp_path, engine, 0, 2, NO_GUARD, NO_MARK)
    found = {finding.who for finding in verdict.findings(*HEALTHY) if finding.rule == REVIVED}
    assert {"door of node 0", "new verifier 0"} <= found


@pytest.mark.soak
@pytest.mark.sqlite("each run has an engine of its own")
def test_without_a_guard_three_nodes_on_one_database_revive_no_token(tmp_path: Path) -> None:
    verdict = history(tmp_path, "postgres", 0, 3, NO_GUARD)
    require_telling(verdict, OCCASIONS, several=True)
    assert verdict.findings(*HEALTHY) == []


@pytest.mark.soak
@pytest.mark.sqlite("each run has an engine of its own")
@pytest.mark.parametrize("engine", ENGINES)
def test_ten_minutes_with_wrong_clocks_keep_every_promise(tmp_path: Path, engine: str) -> None:
    verdict = history(tmp_path, engine, ROUNDS_OF_TEN_MINUTES, 4)
    require_telling(verdict, OCCASIONS | LATER_OCCASIONS, several=engine == "postgres")
    assert {each.what for each in verdict.wrong_clocks} >= WRONG
    if engine == "postgres":
        # The guard held: the first purge was when the days had passed.
        last_wrong = max(each.ended for each in verdict.wrong_clocks)
        assert min(mark.since for mark in verdict.marks) > last_wrong
    assert verdict.findings(*HEALTHY) == []
