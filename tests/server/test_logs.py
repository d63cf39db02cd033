"""Lines of several processes on one pipe: none is torn apart by another."""

import fcntl
import json
import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.support.process_tree import linux_only
from watchword.server.log_writer import pieces

# Many ticks with many requests each, as a busy worker has them.
WRITER = """
import json, logging, sys
from watchword.server.logs import set_up_logs
from watchword.settings import Settings
set_up_logs(Settings(workers=2), for_people=False)
print("ready", flush=True)
sys.stdin.read()
for tick in range(100):
    lines = [json.dumps({"who": sys.argv[1], "tick": tick, "line": line, "more": "x" * 200}) for line in range(60)]
    logging.getLogger("watchword.requests").info("%s", "\\n".join(lines))
"""


@pytest.mark.parametrize("text", ["one line", "a\nb", "x" * 10_000, "\n".join(["ä" * 1_500] * 5), "x" * 5_000 + "\ny"])
def test_a_text_is_written_in_whole_lines_and_in_order(text: str) -> None:
    found = list(pieces(text))
    assert b"".join(found).decode() == f"{text}\n"
    assert all(piece.endswith(b"\n") for piece in found)
    assert all(len(piece) <= 4_096 or piece.count(b"\n") == 1 for piece in found)


def started(who: str, log: int) -> subprocess.Popen[bytes]:
    """A process that writes as soon as its input ends."""
    command = [sys.executable, "-c", WRITER, who]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@linux_only
def test_the_lines_of_two_busy_processes_stay_whole() -> None:
    reading, writing = os.pipe()
    # Full again and again, so that writers wait in the middle of what they write.
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4_096)
    with started("one", writing) as one, started("other", writing) as other:
        os.close(writing)
        for each in (one, other):
            assert each.stdin is not None
            each.stdin.close()
        with os.fdopen(reading) as log:
            lines = [json.loads(line) for line in log]
    assert [one.returncode, other.returncode] == [0, 0]
    assert Counter(line["who"] for line in lines) == {"one": 6_000, "other": 6_000}


def test_a_line_for_people_names_what_was_ignored() -> None:
    program = """
import logging
from watchword.server.logs import set_up_logs
from watchword.settings import Settings
set_up_logs(Settings(log_format="text"), for_people=True)
entry = '{"method":"POST","path":"/identities","status":201,"ignored":["customId","expiresInMinutes"]}'
logging.getLogger("watchword.requests").info("%s", entry)
"""
    written = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert written.stderr == "POST /identities 201 (ignored: customId, expiresInMinutes)\n"
