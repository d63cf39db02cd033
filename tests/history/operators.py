"""The process beside the servers: revokes what has no door of its own, by the rules, in the database itself."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tests.history.events import Acknowledged, Log, Revoking
from tests.history.plan import Plan
from watchword.clock import MonotoneClock, SystemClock
from watchword.errors import Unavailable
from watchword.identifiers import new_key_id
from watchword.keyring import signing_keys
from watchword.keyring.encryption import Encryption, open_encryption
from watchword.keyring.keyring import Keyring
from watchword.keyring.lifecycle import schedule
from watchword.resources.access_keys import _purpose
from watchword.resources.generations import raise_generation
from watchword.resources.store import Resource, list_access_keys, list_resources
from watchword.revocations.store import record_now
from watchword.settings import load_settings
from watchword.storage import Database, Transaction
from watchword.storage.opening import open_database

_PAUSE_SECONDS = (1.5, 3.5)
_RETRY_SECONDS = 0.05


def operate(plan: Plan) -> None:
    """A signing key, an access key, the whole resource, in turn; until it is killed.

    Where clocks are wrong, a signing key only once: a key that is gone would hide that a revocation is.
    """
    random.seed(f"{plan.seed} operator")
    asyncio.run(_Operator(plan).run())


class _Operator:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._settings = load_settings(plan.environment)
        self._encryption: Encryption = open_encryption(self._settings, plan.data)
        self._clock = MonotoneClock(SystemClock())
        self._log = Log(plan.log("operator"))
        self._counter = itertools.count()

    async def run(self) -> None:
        database = await open_database(self._settings, self._plan.data)
        [resource] = await database.transact(list_resources)
        keyring = Keyring(database, self._encryption, self._clock, algorithm="ES256", schedule=schedule(self._settings))
        turns = [self._signing_key, self._access_key, self._resource]
        # Each is drawn when its turn comes: which key signs, and which id a key has, changes with the last turn.
        while True:
            for turn in turns:
                await asyncio.sleep(random.uniform(*_PAUSE_SECONDS))
                with suppress(Unavailable):  # nothing was begun: what it needs to know could not be read
                    await turn(database, resource, keyring)
            if self._plan.clocks:
                turns = [self._access_key, self._resource]

    async def _signing_key(self, database: Database, _: Resource, keyring: Keyring) -> None:
        kid = (await keyring.signing_key()).kid

        async def revoke(transaction: Transaction) -> None:
            await signing_keys.revoke(transaction, keyring, kid)

        await self._carry_out("signing key", kid, lambda: database.transact(revoke))

    async def _access_key(self, database: Database, resource: Resource, _: Keyring) -> None:
        """The secondary key goes on under another id, as if it had been regenerated: its callers need not be told."""
        former = (await database.transact(lambda transaction: list_access_keys(transaction, resource)))[1]
        secret = self._encryption.decrypt(former.secret, _purpose(former.id))
        id = new_key_id()

        async def replace(transaction: Transaction) -> None:
            encrypted = (await self._encryption.in_force(transaction)).encrypt(secret, _purpose(id))
            await transaction.execute(
                "update access_keys set id = $1, secret = $2 where id = $3", id, encrypted, former.id
            )
            await record_now(
                transaction, "accessKey", former.id, resource=resource.number, now_micros=self._clock.micros()
            )

        await self._carry_out("access key", former.id, lambda: database.transact(replace))

    async def _resource(self, database: Database, resource: Resource, _: Keyring) -> None:
        await self._carry_out(
            "resource", resource.id, lambda: raise_generation(database, resource.number, self._clock.micros())
        )

    async def _carry_out(self, kind: str, subject: str, deed: Callable[[], Awaitable[None]]) -> None:
        number = f"operator-{next(self._counter)}"
        while True:
            self._log.write(Revoking(time.monotonic_ns(), number, kind, subject))
            try:
                await deed()
            except Unavailable:
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            self._log.write(Acknowledged(time.monotonic_ns(), number))
            return
