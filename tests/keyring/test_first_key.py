"""The key of a database that has none yet: made where there is nothing, refused where there was something."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.engines import FreshSettings, Place
from watchword.app import open_watchword
from watchword.errors import OperatorError
from watchword.keyring.encryption import KEY_FILE, open_encryption
from watchword.keyring.key_files import next_of
from watchword.resources.first_resource import FirstResource
from watchword.settings import Settings
from watchword.storage import Transaction
from watchword.storage.opening import open_database

FIRST = FirstResource("watchword", "europe")


async def opened_and_closed(settings: Settings, folder: Path) -> None:
    node = await open_watchword(settings, folder, FIRST)
    await node.close()


def start(settings: Settings, folder: Path) -> None:
    asyncio.run(opened_and_closed(settings, folder))


def test_a_key_that_was_made_for_another_database_makes_no_new_one(
    fresh_settings: FreshSettings, tmp_path: Path
) -> None:
    start(fresh_settings(), tmp_path / "first")
    second, empty = tmp_path / "second", fresh_settings()
    second.mkdir()
    shutil.copy(tmp_path / "first" / KEY_FILE, second)
    for _ in range(2):
        with pytest.raises(OperatorError, match="was made for a database, and this one is empty") as raised:
            start(empty, second)
        assert "--start-anew" in raised.value.remedy
    start(replace(empty, start_anew=True), second)
    start(empty, second)
    assert (second / KEY_FILE).read_bytes() == (tmp_path / "first" / KEY_FILE).read_bytes()


def test_a_key_that_the_operator_names_may_be_there_before_the_database(
    fresh_settings: FreshSettings, tmp_path: Path
) -> None:
    start(fresh_settings(), tmp_path / "first")
    key_file = tmp_path / "given" / "a key"
    key_file.parent.mkdir()
    shutil.move(tmp_path / "first" / KEY_FILE, key_file)
    start(fresh_settings(encryption_key_file=key_file), tmp_path / "second")
    assert not (tmp_path / "second" / KEY_FILE).exists()
    assert not next_of(key_file).exists()


@pytest.mark.parametrize("commits", [False, True], ids=["before its commit", "after its commit"])
async def test_a_first_start_that_was_interrupted_is_no_loss(place: Place, commits: bool) -> None:
    encryption = open_encryption(place.settings, place.folder)

    async def work(transaction: Transaction) -> None:
        await encryption.in_force(transaction)
        if not commits:
            raise InterruptedError

    database = await open_database(place.settings, place.folder)
    with suppress(InterruptedError):
        await database.transact(work)
    await database.close()
    key_file = place.folder / KEY_FILE
    assert next_of(key_file).exists()
    assert not key_file.exists()
    key = next_of(key_file).read_bytes()
    await opened_and_closed(place.settings, place.folder)
    assert key_file.read_bytes() == key
    assert not next_of(key_file).exists()
