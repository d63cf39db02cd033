"""A million identities from SQLite to PostgreSQL and back, by the commands, interrupted once each way."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import WATCHWORD, Home
from tests.support.engines import FreshSettings, Place
from tests.support.postgres import Cluster
from tests.support.transfers import KEY, Source, add_identities


@pytest.fixture(scope="module")
def fresh_settings() -> FreshSettings:
    """The way begins on SQLite."""
    return FreshSettings(None)


def command(home: Home, place: Place, *arguments: str | Path, until: str = "") -> Any:
    """What it prints, its progress and time told on our own standard output; killed at a line, if one is named."""
    variables = {"WATCHWORD_ENCRYPTION_KEY": KEY, "WATCHWORD_DATA": str(place.folder)}
    if place.is_postgres:
        variables["WATCHWORD_DATABASE"] = place.settings.database
    begun = time.monotonic()
    with subprocess.Popen(
        [*WATCHWORD, *map(str, arguments), "--json"],
        env=home.environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            print(f"{time.monotonic() - begun:6.1f} s  {line}", end="")
            if until and line.startswith(until):
                process.kill()
        printed = process.stdout.read()
    print(f"watchword {arguments[0]}: {time.monotonic() - begun:.1f} s, status {process.returncode}")
    assert process.returncode == (-signal.SIGKILL if until else 0)
    return None if until else json.loads(printed)


def tables(told: Any) -> dict[str, tuple[int, str]]:
    """Rows and checksum of every table but the clock, which an import sets."""
    return {name: (each["rows"], each["sha256"]) for name, each in told["tables"].items() if name != "clock"}


def there_and_back(source: Source, cluster: Cluster, folder: Path, identities: int, *, interrupt: bool) -> None:
    home = Home(folder / "home")
    add_identities(source.place, identities)
    there = Place(FreshSettings(cluster)(encryption_key=KEY), folder / "there")
    back = Place(FreshSettings(None)(encryption_key=KEY), folder / "back")
    print(f"\n{identities:,} identities, from SQLite to PostgreSQL and back")
    before = command(home, source.place, "export", folder / "there.export")
    if interrupt:
        command(home, there, "import", "--keep-tokens", folder / "there.export", until="importing: 50 %")
    command(home, there, "import", "--keep-tokens", folder / "there.export")
    between = command(home, there, "export", folder / "back.export")
    if interrupt:
        command(home, back, "import", "--keep-tokens", folder / "back.export", until="importing: 70 %")
    command(home, back, "import", "--keep-tokens", folder / "back.export")
    after = command(home, back, "export", folder / "after.export")
    assert tables(before)["identities"][0] > identities
    assert tables(before) == tables(between) == tables(after)
    assert before["numbers"] == between["numbers"] == after["numbers"]
    size = (folder / "there.export").stat().st_size
    print(f"identical: {tables(after)['identities'][1]}; {size / 1e6:.1f} MB in a file")


@pytest.mark.parametrize(
    ("identities", "interrupt"),
    [(9_000, False), pytest.param(1_000_000, True, marks=pytest.mark.soak)],
    ids=["thousands", "a million"],
)
def test_identities_go_there_and_back_and_are_identical(
    source: Source, cluster: Cluster, tmp_path: Path, identities: int, interrupt: bool
) -> None:
    there_and_back(source, cluster, tmp_path, identities, interrupt=interrupt)
