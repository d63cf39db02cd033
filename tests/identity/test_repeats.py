"""A create whose answer was lost is sent again by the storage: twice leaves, and returns, what once does."""

import pytest

from watchword.clock import SystemClock
from watchword.identifiers import random_bytes
from watchword.identity.store import IdentityStore
from watchword.keyring.encryption import Encryption
from watchword.resources.access_keys import create_resource
from watchword.storage import Database


@pytest.mark.parametrize("custom_id", [None, "somebody"])
async def test_the_same_create_twice_makes_one_identity(database: Database, custom_id: str | None) -> None:
    resource = await database.transact(
        lambda transaction: create_resource(
            transaction, Encryption(bytes(32)), SystemClock().micros(), name="some", location="europe"
        )
    )
    store, flake = IdentityStore(database), random_bytes(16)
    first = await store.insert(resource.number, flake, custom_id, created_micros=1)
    assert await store.insert(resource.number, flake, custom_id, created_micros=1) == first
    assert (first.flake, first.custom_id) == (flake, custom_id)
    assert len(await store.list(resource.number, after=b"", before=b"\xff" * 16, custom_id=None, most=9)) == 1
