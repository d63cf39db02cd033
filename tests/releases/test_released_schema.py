"""What was released stays as it is: databases were made by it, and so will be those of restored backups."""

from importlib import resources
from pathlib import Path

import pytest

from tests.support.releases import ENGINES, WHEELS, name_of, schema_of
from watchword.storage.schema import Engine, schema_files


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("wheel", WHEELS, ids=name_of)
def test_every_released_file_is_as_it_was_byte_for_byte(wheel: Path, engine: Engine) -> None:
    released = schema_of(wheel, engine)
    folder = resources.files("watchword.storage") / engine
    assert len(released) > 5
    assert {name: (folder / name).read_bytes() for name in released} == released


@pytest.mark.parametrize("engine", ENGINES)
def test_no_file_was_put_in_among_the_released_ones_and_a_release_adds_one_at_the_most(engine: Engine) -> None:
    """It runs on the version before its own: two new ones would leave the release before without a rolling upgrade."""
    released = list(schema_of(WHEELS[-1], engine))
    names = [step.name for step in schema_files(engine)]
    assert names[: len(released)] == released
    assert len(names) - len(released) <= 1


def test_both_engines_have_the_same_versions() -> None:
    """An export goes from either into either."""
    sqlite, postgres = ([(step.version, step.name) for step in schema_files(engine)] for engine in ENGINES)
    assert sqlite == postgres


@pytest.mark.parametrize("engine", ENGINES)
def test_every_file_begins_with_what_it_is_about(engine: Engine) -> None:
    assert [step.name for step in schema_files(engine) if not (step.sql.startswith("-- ") and step.purpose)] == []
