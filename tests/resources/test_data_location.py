"""A data location stands in every token, so it may hold nothing that would break a token's readers."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tokens import EDDSA, claims
from watchword.clock import SystemClock
from watchword.errors import OperatorError
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import create_resource
from watchword.storage.sqlite import SqliteDatabase
from watchword.tokens.issuer import sign

ODD = ["", " ", "united states", "a?", "a~", "straße", "日本", "a\n", "a/b", "a_b", "x" * 65, 'a"b', "\u0660"]


@pytest.mark.sqlite("it is refused before any database is asked")
@given(location=st.sampled_from(ODD) | st.text(max_size=8))
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_location_is_refused_unless_every_token_of_it_can_be_read(tmp_path: Path, location: str) -> None:
    database = SqliteDatabase(tmp_path / "watchword.sqlite", synchronous="OFF")
    try:
        await database.transact(lambda transaction: transaction.execute("delete from resources"))
        await database.transact(
            lambda transaction: create_resource(
                transaction, Encryption(bytes(32)), SystemClock().micros(), name="name", location=location
            )
        )
    except OperatorError as error:
        assert "no data location" in error.message  # noqa: PT017 - either way is right; which one is asserted here.
    else:
        for shift in range(3):
            sign(claims(resourceLocation=location, rgn="x" * shift), EDDSA)
    finally:
        await database.close()


@pytest.mark.sqlite("it is refused before any database is asked")
@pytest.mark.parametrize("location", ODD)
async def test_odd_locations_are_all_refused(tmp_path: Path, location: str) -> None:
    database = SqliteDatabase(tmp_path / "watchword.sqlite", synchronous="OFF")
    try:
        with pytest.raises(OperatorError, match="no data location"):
            await database.transact(
                lambda transaction: create_resource(
                    transaction, Encryption(bytes(32)), SystemClock().micros(), name="name", location=location
                )
            )
    finally:
        await database.close()
