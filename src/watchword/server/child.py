"""A process that this one starts, looks after, and never leaves behind."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import timedelta
from typing import Self

from watchword.errors import OperatorError
from watchword.server.orders import LEAVE, Orders, read_report

_LONGEST_START = timedelta(seconds=60)


class Child:
    """Made by `launch`."""

    def __init__(self, name: str, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self._process = process
        self._since = asyncio.get_running_loop().time()

    @classmethod
    async def launch(cls, module: str, orders: Orders) -> Self:
        """A process that is ready. It is a fresh interpreter, so that one that replaces another runs what is installed.

        Raises:
            OperatorError: it could not start, and says why.
        """
        # Without -P a module in the current folder would come first. A session of its own keeps a terminal's Ctrl-C
        # from it: who stops first is the supervisor's to say.
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=orders.descriptors,
            start_new_session=True,
        )
        child = cls(orders.process.name, process)
        try:
            async with asyncio.timeout(_LONGEST_START.total_seconds()):
                refusal = read_report(await child._tell(orders), child.name)
        except TimeoutError:
            refusal = OperatorError(
                f"{child.name} did not answer within {_LONGEST_START}.", "See what the machine does."
            )
        except BaseException:
            child.kill()
            raise
        if refusal is not None:
            await child.end(timedelta(0))
            raise refusal
        return child

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    @property
    def age(self) -> timedelta:
        return timedelta(seconds=asyncio.get_running_loop().time() - self._since)

    async def ended(self) -> int:
        """Its exit status; negative is the number of the signal that ended it."""
        return await self._process.wait()

    def leave(self) -> None:
        """Have it call itself not ready."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self._process.stdin.write(LEAVE)

    async def end(self, deadline: timedelta) -> bool:
        """Let it finish, and kill it at the deadline; whether it ended by itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(deadline.total_seconds()):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()
            return False
        return True

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _tell(self, orders: Orders) -> bytes:
        """The first line that it says then."""
        if self._process.stdin is None or self._process.stdout is None:
            return b""
        # Who is dead already reads nothing; that it says nothing either is all that matters.
        with contextlib.suppress(OSError, RuntimeError):
            self._process.stdin.write(orders.encode())
        return await self._process.stdout.readline()
