"""Load as fast as the server answers: wrk, with a fixed number of connections that never wait."""

from __future__ import annotations

import json
import resource
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import on_core
from benchmarks.processes import Process

_SCRIPT = Path(__file__).with_name("wrk.lua")


class LoadFailed(RuntimeError):
    """Not every request was answered with success."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one round showed. `generator_share` is the part of its core that the generator took."""

    requests: int
    seconds: float
    server_cpu_seconds: float
    generator_share: float
    p50_millis: float
    p99_millis: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.server_cpu_seconds


def closed_loop(
    server: Process, requests: Sequence[bytes], *, connections: int, seconds: float, core: int, tls: bool = False
) -> Load:
    """Load the server with so many connections, each of which asks again once it is answered.

    Raises:
        LoadFailed: the server refused or dropped a request or answered none, so the figures would mean nothing.
    """
    with tempfile.NamedTemporaryFile(prefix="watchword-bench-") as file:
        file.writelines(b"%d\n%b" % (len(request), request) for request in requests)
        file.flush()
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds:.0f}s", "--timeout", "30s"]
        address = f"{'https' if tls else 'http'}://127.0.0.1:{server.port}/"
        cpu_before, own_before = server.cpu_seconds(), _children_seconds()
        done = subprocess.run(
            on_core(core, *command, "-s", str(_SCRIPT), address, "--", file.name),
            capture_output=True,
            text=True,
            check=True,
        )
        cpu, own = server.cpu_seconds() - cpu_before, _children_seconds() - own_before
    [line] = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    found = json.loads(line.removeprefix("RESULT "))
    if found["failed"] or not found["requests"]:
        raise LoadFailed(f"{found['failed']} of {found['requests']} requests failed")
    return Load(
        requests=found["requests"],
        seconds=found["seconds"],
        server_cpu_seconds=cpu,
        generator_share=own / found["seconds"],
        p50_millis=found["p50_millis"],
        p99_millis=found["p99_millis"],
    )


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
