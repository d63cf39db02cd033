"""The reports, from made-up findings."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import growth_findings, growth_report
from benchmarks.chart import draw
from benchmarks.closed_loop import Load
from benchmarks.contenders import Contender
from benchmarks.findings import Findings, Memory
from benchmarks.goals import compare
from benchmarks.growth_findings import Cost, Growth, Size
from benchmarks.lineup import Lineup
from benchmarks.open_loop import Latency
from benchmarks.plan import parse_plan
from benchmarks.processes import Process
from benchmarks.report import to_markdown
from benchmarks.revoking import Revoked
from benchmarks.rounds import Limits, Measurement
from benchmarks.spread import Spread
from benchmarks.verification import Verification
from benchmarks.workloads import CREATE, ISSUE, REVOKE, Target

ROUNDS = 7
GROWTH = Growth(
    9,
    3,
    30_000,
    [
        Cost(
            "SQLite", "issue", 10_000, Spread(5e3, 5e3, 5e3), Spread(5e3, 5e3, 5e3), Spread(9, 8, 10), Spread(1, 1, 1)
        ),
        Cost(
            "SQLite", "issue", 10**7, Spread(4e3, 4e3, 4e3), Spread(4e3, 4e3, 4e3), Spread(9, 8, 10), Spread(1.2, 1, 2)
        ),
    ],
    [Size("SQLite", 10**7, 410.0, 86.0, None), Size("PostgreSQL", 10**7, 1_500.0, 60.0, 900.0)],
)


def contender(name: str, algorithm: str = "ES256") -> Contender:
    return Contender(name, algorithm, "none", Process(1, 1), Target("localhost:1", b"", ()), Path())


def load(per_cpu_second: float) -> Load:
    return Load(3_000, 3.0, 3_000 / per_cpu_second, 0.1, 2.0, 9.0)


def made_up(issue: float = 10_000.0) -> Findings:
    """Signing and a bare answer cost 50 microseconds each, the check of an HMAC 5: the limit is 9,524 a second."""
    lineup = Lineup({"SQLite": contender("Watchword ES256"), "naive": contender("<naive>")})
    for name, workload, rate in (
        ("SQLite", ISSUE, issue),
        ("SQLite", CREATE, 5_000.0),
        ("SQLite", REVOKE, 5_000.0),
        ("naive", ISSUE, 500.0),
        ("naive", CREATE, 500.0),
    ):
        loads = [load(rate)] * ROUNDS
        lineup.measurements.append(Measurement(lineup.contenders[name], workload, 32, loads))
    lineup.measurements.append(Measurement(lineup.contenders["naive"], ISSUE, 256, failure="12 of 500 requests failed"))
    lineup.missing.append(("oidc-provider", "its registry was away"))
    rates = {"ES256": 20_000.0, "RS256": 4_000.0, "EdDSA": 15_000.0, "HMAC": 200_000.0, "fdatasync_millis": 1.5}
    latency = Latency(2_500.0, 1.0, 12.0, 20.0, 0.95)
    return Findings(
        plan=parse_plan([]),
        lineup=lineup,
        limits=Limits([load(20_000)] * ROUNDS, {name: [rate] * ROUNDS for name, rate in rates.items()}),
        latencies=[(lineup.measurements[0], [latency] * ROUNDS)],
        verification=Verification(
            {"signature": [16e3] * 7, "cold": [14e3] * 7, "cached": [500e3] * 7},
            Revoked([1.0] * 99 + [20.0], [5.0], [6.0]),
            [load(6_000)] * ROUNDS,
        ),
        start_seconds=Spread(0.4, 0.4, 0.5),
        memory={"SQLite": Memory(55.0, 90.0, None)},
        growth=GROWTH,
    )


def test_every_goal_is_told_beside_what_was_measured() -> None:
    found = {goal.name: goal for goal in compare(made_up())}
    reached = {name: goal.reached for name, goal in found.items()}
    assert found["ES256 issue, of its limit"].measured == "1.05 [1.05 .. 1.05]"
    assert reached["times the naive service on issue"] is True
    assert found["times the naive service on create"].measured == "10.00 [10.00 .. 10.00]"
    assert reached["times the naive service on create"] is False
    assert reached["p99 at half load, issue"] is False
    assert reached["first answer after the start"] is True
    assert reached["resident memory of a worker on SQLite"] is False
    assert reached["issue on SQLite: CPU of a request at 10,000,000 identities, of that at the fewest"] is False
    assert reached["resident memory of a worker on SQLite with 10,000,000 identities"] is False
    assert reached["resident memory of a worker on PostgreSQL with 10,000,000 identities"] is True
    assert reached["revoke, until it is durable, p99"] is False
    assert reached["token verified for the first time, of its signature's check"] is True


def test_what_was_not_measured_is_neither_reached_nor_missed() -> None:
    reached = {goal.name: goal.reached for goal in compare(made_up())}
    assert reached["times oidc-provider with ES256"] is None
    assert reached["RS256 issue, of `openssl speed rsa2048`"] is None
    assert reached["create on PostgreSQL: CPU of a request at 10,000,000 identities, of that at the fewest"] is None


@pytest.mark.parametrize(("issue", "answer"), [(4_800.0, "yes"), (4_700.0, "no: [profile.md](profile.md)")])
def test_a_missed_goal_leads_to_the_profile(issue: float, answer: str) -> None:
    assert compare(made_up(issue))[0].answer == answer


def test_report_names_who_is_left_out_and_who_failed() -> None:
    text = to_markdown(made_up())
    assert "| oidc-provider | **left out** | its registry was away |" in text
    assert "| <naive>, issue, 256 connections | **failed** | 12 of 500 requests failed |" in text
    assert "95% (too busy!)" in text
    assert "with a probability of 98%" in text


def test_chart_is_drawn_of_all_that_was_compared() -> None:
    drawing = ElementTree.fromstring(draw(made_up()))
    assert len(drawing.findall("{http://www.w3.org/2000/svg}rect")) == 1 + 5


def test_findings_on_growth_are_kept_for_the_main_report(tmp_path: Path) -> None:
    assert growth_findings.load(tmp_path) is None
    growth_findings.save(GROWTH, tmp_path)
    assert growth_findings.load(tmp_path) == GROWTH
    assert "| SQLite, issue | 10,000,000 | 4,000 [4,000 .. 4,000] | 1.200" in growth_report.to_markdown(GROWTH)
