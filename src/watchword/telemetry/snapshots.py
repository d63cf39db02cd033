"""One of several processes that serve the same sockets, and how each tells the others what it has counted.

    <folder>/<name>.metrics   a `Snapshot` in msgpack, replaced whole every second, at every scrape and at the end
    <folder>/<name>.lock      held by the process for as long as it lives

A process that starts under the name of one that has ended carries its counts on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

from watchword.files import Process, hold, write_atomically
from watchword.measurements import Measurements
from watchword.telemetry.levels import Levels

_WRITE_EVERY_SECONDS = 1.0
_ENDING = ".metrics"


class Snapshot(msgspec.Struct):
    """What one process has counted; `name` is empty where it is the only one."""

    name: str
    pid: int
    measured: Measurements
    levels: Levels


class Snapshots:
    """This process's own, and the others'. Without a `process` it is the only one, and there are no files."""

    def __init__(self, process: Process | None, measured: Measurements, levels: Callable[[], Levels]) -> None:
        self._process = process
        self._measured = measured
        self._levels = levels
        self._held: BinaryIO | None = None
        self._writing = asyncio.Lock()
        if process is not None:
            process.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._take_lock(process)
            earlier = _read(process.folder / f"{process.name}{_ENDING}")
            if earlier is not None:
                measured.add(earlier.measured)

    async def write(self) -> Snapshot:
        """A copy of what this process has counted, which the others can read from now on."""
        process = self._process
        name = process.name if process else ""
        async with self._writing:
            content = msgspec.msgpack.encode(Snapshot(name, os.getpid(), self._measured, self._levels()))
            if process is not None:
                self._take_lock(process)
                await _write(process, content)
        return msgspec.msgpack.decode(content, type=Snapshot)

    def read_others(self) -> list[tuple[Snapshot, bool]]:
        """What the others have written, and whether each of them lives."""
        process = self._process
        if process is None:
            return []
        paths = (path for path in sorted(process.folder.glob(f"*{_ENDING}")) if path.stem != process.name)
        found = [(_read(path), path.with_suffix(".lock")) for path in paths]
        return [(snapshot, _is_held(lock)) for snapshot, lock in found if snapshot is not None]

    async def keep_writing(self) -> None:
        """Runs until it is cancelled, and writes once more then."""
        if self._process is None:
            return
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(_WRITE_EVERY_SECONDS)
                await self.write()
        await self.write()

    def close(self) -> None:
        """This process counts as ended from now on."""
        if self._held is not None:
            self._held.close()

    def _take_lock(self, process: Process) -> None:
        # Whoever looks whether the last one of this name lives holds it for a moment; then it is taken a second later.
        self._held = self._held or hold(process.folder / f"{process.name}.lock")


async def _write(process: Process, content: bytes) -> None:
    """Works beside the event loop: a rename may wait for the disk, though it is synced for nobody."""
    path = process.folder / f"{process.name}{_ENDING}"
    work = asyncio.create_task(asyncio.to_thread(write_atomically, path, content, durable=False))
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        # The thread goes on all the same, and must not overtake whoever writes next.
        await asyncio.wait([work])
        raise


def _read(path: Path) -> Snapshot | None:
    """None where it is not there, or of a process of another version."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _is_held(lock: Path) -> bool:
    held = hold(lock)
    if held is not None:
        held.close()
    return held is None
