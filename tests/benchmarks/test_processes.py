"""No benchmark leaves a process behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.closed_loop import closed_loop
from benchmarks.machine import cpu_seconds, family, proportional_mebibytes, resident_mebibytes
from benchmarks.processes import PROJECT, python_server
from tests.benchmarks.support import CORE
from tests.support.polling import until
from tests.support.requirements import require

RUN = """
import signal, sys, time
from pathlib import Path
from benchmarks.machine import cpu_seconds, family, proportional_mebibytes, resident_mebibytes
from benchmarks.processes import end_on_signals, python_server

# Whatever the tests were started under: nohup ignores one, a shell's background the other.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
end_on_signals()
with python_server("benchmarks.bare", core=int(sys.argv[1]), home=Path(sys.argv[2])) as bare:
    print(bare.pid, flush=True)
    while True:  # A signal that came just before one long wait would be handled after it.
        time.sleep(0.1)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_server_ends_when_the_run_that_started_it_does(tmp_path: Path, how: signal.Signals) -> None:
    require("setpriv", "setpriv is not there: install the package util-linux")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(CORE), str(tmp_path)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        server = Path("/proc") / run.stdout.readline().strip()
        assert server.exists()
        run.send_signal(how)
        until(server.exists, lambda there: not there)


def test_processes_that_end_while_they_are_counted_count_nothing() -> None:
    """A database's processes come and go."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert family(ended.pid) == [ended.pid]
    assert cpu_seconds(ended.pid) == resident_mebibytes(ended.pid) == proportional_mebibytes(ended.pid) == 0


def test_load_counts_requests_and_the_servers_cpu(tmp_path: Path) -> None:
    require("wrk", "wrk is not there: install the package wrk")
    with python_server("benchmarks.bare", core=CORE, home=tmp_path) as bare:
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
        load = closed_loop(bare, [request], connections=2, seconds=1, core=CORE)
    assert load.requests > 0
    assert load.server_cpu_seconds > 0
    assert load.generator_share > 0
