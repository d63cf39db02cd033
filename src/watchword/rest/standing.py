"""Whether this process can do all that is asked of it: for readiness, metrics and whoever else wants to know.

What a check finds is a sentence for operators, under the check's name.
"""

from __future__ import annotations

import logging
from time import monotonic

from watchword.errors import OperatorError, Unavailable
from watchword.keyring import key_check
from watchword.keyring.encryption import Encryption
from watchword.storage import Database
from watchword.storage.clock_marks import touch
from watchword.storage.clock_watch import ClockWatch
from watchword.storage.database import CLOCK

_log = logging.getLogger(__name__)

_HOLDS_SECONDS = 1.0
"""A write is tried once a second at the most, whoever asks how often."""


class Standing:
    """Finds out anew at each question. A write is tried: a full disk, or a standby, answers all the same."""

    def __init__(self, database: Database, encryption: Encryption, clock_watch: ClockWatch) -> None:
        self._database = database
        self._encryption = encryption
        self._clock_watch = clock_watch
        self._tried_at = float("-inf")
        self._refusal = ""
        self._told: dict[str, str] = {}
        self.is_leaving = False
        """Told to stop, and waiting for balancers to see it."""

    async def trouble(self) -> dict[str, str]:
        """What stands in the way, by check: `key`, `database`, `clock`; nothing where all is well.

        Raises:
            Unavailable: the database does not even answer.
        """
        found = {}
        try:
            for (encrypted,) in await self._database.query(key_check.FIND):
                self._encryption.fitting(encrypted)
        except OperatorError as error:
            found["key"] = f"{error.message} {error.remedy}"
        if refusal := await self._try_write():
            found["database"] = refusal
        if (fault := self._clock_watch.fault) is not None:
            found["clock"] = f"{fault.message} {fault.remedy}"
        for check in found.keys() - self._told.keys():
            _log.error("not ready: %s", found[check])
        self._told = found
        return found

    async def _try_write(self) -> str:
        if monotonic() - self._tried_at >= _HOLDS_SECONDS:
            self._refusal = ""
            try:
                await self._database.transact(touch, CLOCK)
            except Unavailable:
                self._refusal = "The database answers, and takes no writes: its disk may be full, or it is a standby."
            self._tried_at = monotonic()
        return self._refusal
