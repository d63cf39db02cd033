"""Every line of the log has one form, whoever writes it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys

PROGRAM = """
import logging, sys
from watchword.server.logs import set_up_logs
from watchword.settings import Settings
set_up_logs(Settings(log_format=sys.argv[1]), for_people=False)
logging.getLogger("watchword.storage").error("the database refused: %s", "disk full")
try:
    raise ValueError("of a fault")
except ValueError:
    logging.getLogger("somebody.else").exception("it failed")
"""


def lines_of(form: str) -> list[str]:
    run = subprocess.run([sys.executable, "-c", PROGRAM, form], capture_output=True, text=True, check=True)
    return run.stderr.splitlines()


def test_what_is_no_request_is_json_as_well() -> None:
    for form in ("json", "auto"):
        first, second = map(json.loads, lines_of(form))
        assert (first["level"], first["logger"]) == ("ERROR", "watchword.storage")
        assert first["message"] == "the database refused: disk full"
        assert first["time"].endswith("+00:00")
        assert "fault" not in first
        assert second["message"] == "it failed"
        assert "ValueError: of a fault" in second["fault"]


def test_people_read_it_as_text() -> None:
    first, *_ = lines_of("text")
    assert first == f"watchword: {logging.getLevelName(logging.ERROR)}: the database refused: disk full"
