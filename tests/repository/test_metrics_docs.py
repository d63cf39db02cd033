"""docs/reference/metrics.md holds every metric that a scrape tells, and docs/howto/monitor.md what Prometheus reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.postgres import Cluster
from tests.support.requirements import PROJECT
from tests.support.scraping import OPEN_METRICS, Scrape, scrape
from tests.support.signed import SignedClient
from watchword.files import Process
from watchword.keyring.lifecycle import State
from watchword.settings import Settings
from watchword.testing import running_server

PAGE = (PROJECT / "docs/reference/metrics.md").read_text(encoding="utf-8")
MONITORING = (PROJECT / "docs/howto/monitor.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().strip("`") if place == 0 else cell.strip() for place, cell in enumerate(line.strip("|").split("|"))]
    for line in re.findall(r"(?m)^\| `(?:watchword|process)_.*$", PAGE)
]
UNITS = {"seconds": "seconds", "bytes": "bytes"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Scrape]:
    """What one process of several tells, strictly typed; with a key to come, so that nothing is left out."""
    process = Process("one", tmp_path_factory.mktemp("metrics"))
    settings = Settings(request_log=False, tls=False, database=cluster.fresh())
    with running_server(settings, process=process) as server:
        with SignedClient(server) as client:
            client.new_identity()
        yield scrape(server, OPEN_METRICS)


def labels_of(family: Any) -> set[str]:
    return {label for sample in family.samples for label in sample.labels} - {"le"}


def test_every_metric_is_documented_with_its_type_and_labels_and_every_documented_one_is_told(found: Scrape) -> None:
    told = {family.name: (family.type, labels_of(family)) for family in found.families}
    documented = {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, *_ in ROWS}
    assert documented == told


def test_every_row_is_whole_and_names_the_unit_that_the_name_has() -> None:
    for name, _, _, unit, meaning in ROWS:
        assert meaning
        assert UNITS.get(name.rpartition("_")[2], unit) == unit, name


def test_every_state_of_a_key_and_kind_of_trip_is_documented(found: Scrape) -> None:
    meanings = {name: meaning for name, *_, meaning in ROWS}
    kinds = {labels["kind"] for labels in found.labels("watchword_database_duration_seconds_count")}
    for state in State.__args__:  # type: ignore[attr-defined]
        assert f"`{state}`" in meanings["watchword_signing_keys"]
    for kind in kinds:
        assert f"`{kind}`" in meanings["watchword_database_duration_seconds"]


def test_every_metric_that_the_alerts_ask_for_is_told(found: Scrape) -> None:
    [rules] = re.findall(r"```yaml\n# watchword.rules.yml\n(.*?)```", MONITORING, re.DOTALL)
    asked = set(re.findall(r"\b((?:watchword|process)_\w+)", rules))
    assert len(asked) >= 5
    assert asked <= found.samples


def test_every_metric_that_any_page_names_is_there(found: Scrape) -> None:
    named = {name for page in pages() for name in re.findall(r"`(watchword_\w+?)(?:\{|`)", page.read_text("utf-8"))}
    assert named <= found.samples | {family.name for family in found.families}


def pages() -> Iterator[Path]:
    yield from (PROJECT / "docs").rglob("*.md")
