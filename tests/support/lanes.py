"""The lanes in which the tests run: each by itself, all of them together every test once.

core        what every change may break: `make test`
repository  the repository's own rules: `make check`
postgres    what differs by engine: `make test-postgres`
clients     official clients, and programs of others: `make test-clients`
browser     what only a real browser can judge: `make test-browser`

Whoever names files instead of a lane gets all that is in them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import CHOSEN

LANES = ("core", "repository", "postgres", "clients", "browser")

TESTS = Path(__file__).parents[1]

PLACES = {
    "repository": "repository",
    "sdk": "clients",
    "examples": "clients",
    "browser": "browser",
    "test_wheel.py": "clients",
    "certificates/test_tls_stacks.py": "clients",
    "cli/test_env_command.py": "clients",
    "cli/test_trusting_programs.py": "clients",
    "server/test_systemd.py": "clients",
    "telemetry/test_prometheus.py": "clients",
    "benchmarks/test_contenders.py": "clients",
    "rest/test_schemathesis.py": "clients",
    "rest/test_schemathesis_chat.py": "clients",
}
"""Folders and files that belong to a lane as a whole."""

_ON_BOTH_ENGINES = {"rest/test_schemathesis.py", "rest/test_schemathesis_chat.py"}
"""Of programs of others, and on PostgreSQL once more: what they make up may be what only one engine refuses."""

POSTGRES_FIXTURES = {"cluster", "own_cluster"}
"""Whoever asks for one of these is about PostgreSQL."""

_PARAMETRIZED = {"fresh_settings", "place", "released"}
"""Whoever asks for one of these runs on both engines, and says which by a parameter."""

_SHOWN_ONCE = {
    "certificates": "no database",
    "storage": "each engine by itself",
    "test_clock.py": "no database",
    "test_identifiers.py": "no database",
    "tokens": "no database",
    "wire": "no database",
}
"""What the second engine has no part in, and why."""


def lane(item: pytest.Item) -> str:
    """The one in which a test runs; those of `core` that may differ by engine run in `postgres` once more."""
    for place, name in PLACES.items():
        if item.path.is_relative_to(TESTS / place):
            return name
    marker = item.get_closest_marker("lane")
    if marker is not None:
        assert marker.args[0] in LANES, f"{item.nodeid} names no lane"
        return str(marker.args[0])
    return "postgres" if _is_about_postgres(item) else "core"


def belongs(item: pytest.Item, wanted: str) -> bool:
    """Whether a test runs in a lane."""
    own = lane(item)
    if wanted != "postgres":
        return own == wanted
    is_repeated = own == "core" or any(item.path.is_relative_to(TESTS / name) for name in _ON_BOTH_ENGINES)
    return own == "postgres" or (is_repeated and not is_shown(item))


def is_shown(item: pytest.Item) -> bool:
    """Whether a second run of it, with servers that keep their rows in PostgreSQL, would show nothing new."""
    if not (POSTGRES_FIXTURES | _PARAMETRIZED).isdisjoint(getattr(item, "fixturenames", ())):
        return True
    if any(item.path.is_relative_to(TESTS / name) for name in _SHOWN_ONCE):
        return True
    marker = item.get_closest_marker("sqlite")
    assert marker is None or marker.args, f"{item.nodeid} does not say why it is about SQLite"
    return marker is not None


def _is_about_postgres(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    engines = set() if callspec is None else {"sqlite", "postgres"}.intersection(callspec.id.split("-"))
    if engines:
        return "postgres" in engines
    return not POSTGRES_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def run_here(items: list[pytest.Item], wanted: str | None) -> list[pytest.Item]:
    """Those of a lane, or without one all that the chosen engine has a part in."""
    if wanted is not None:
        return [item for item in items if belongs(item, wanted)]
    return items if CHOSEN == "sqlite" else [item for item in items if not is_shown(item)]
