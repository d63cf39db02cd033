"""A full database on each engine, and empty ones on each to read it into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import postgres
from tests.support.engines import ENGINES, FreshSettings, Place
from tests.support.provider import TENANT, Provider, running_provider
from tests.support.transfers import KEY, Source, exported, fill
from watchword.testing import MovableClock


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(MovableClock()) as running:
        yield running


@pytest.fixture(scope="module")
def source(fresh_settings: FreshSettings, provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return fill(fresh_settings, tmp_path_factory.mktemp("source"), provider)


@pytest.fixture(scope="module")
def export_file(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of `source`, as it was filled."""
    file = tmp_path_factory.mktemp("exports") / "full.export"
    exported(source.place, file, source.clock)
    return file


@pytest.fixture(params=ENGINES)
def target(request: pytest.FixtureRequest, tmp_path: Path, provider: Provider) -> Place:
    """An empty database under the same encryption key."""
    return empty_place(request, request.param, tmp_path / "target", provider)


@pytest.fixture
def other_engine(request: pytest.FixtureRequest, source: Source, tmp_path: Path, provider: Provider) -> Place:
    """The same, on the engine that `source` is not on."""
    return empty_place(request, "sqlite" if source.place.is_postgres else "postgres", tmp_path / "target", provider)


def empty_place(request: pytest.FixtureRequest, engine: str, folder: Path, provider: Provider) -> Place:
    cluster: postgres.Cluster | None = request.getfixturevalue("cluster") if engine == "postgres" else None
    settings = FreshSettings(cluster)(
        encryption_key=KEY, entra_issuers=(provider.address,), entra_tenants=(TENANT,), synchronous="OFF"
    )
    return Place(settings, folder)
