"""docs/reference: every error that a caller can be told, and every field of the request log."""

import json
import re

import msgspec
import pytest

from tests.support.error_samples import SAMPLES, describe
from tests.support.requirements import PROJECT
from watchword.telemetry.request_log import Entry
from watchword.wire.errors import INTERNAL, WireError

REFERENCE = PROJECT / "docs/reference"
ERRORS = (REFERENCE / "errors.md").read_text(encoding="utf-8")
LOG = (REFERENCE / "request-log.md").read_text(encoding="utf-8")

ROWS = re.findall(r"(?m)^\| (\d{3}) \| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", ERRORS)
TOLD = [describe(sample) for sample in SAMPLES] + [INTERNAL]


def tells(row: tuple[str, ...], error: WireError) -> bool:
    """Whether a row is of an error: its sentence stands there, with … for what differs."""
    status, code, sentence, *_ = row
    pattern = ".+".join(re.escape(part) for part in sentence.split("…"))
    return (int(status), code) == (error.status, error.code) and re.fullmatch(pattern, error.message) is not None


@pytest.mark.parametrize("error", TOLD, ids=lambda error: f"{error.status}-{error.code}-{error.message[:20]}")
def test_every_error_is_documented_with_status_code_and_sentence(error: WireError) -> None:
    assert [row for row in ROWS if tells(row, error)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[1]}-{row[2][:20]}")
def test_every_documented_error_exists(row: tuple[str, ...]) -> None:
    assert [error for error in TOLD if tells(row, error)]


def test_every_row_of_the_errors_is_whole() -> None:
    assert len(ROWS) == len(re.findall(r"(?m)^\| \d{3} \|", ERRORS))


def test_every_field_of_the_request_log_is_documented_in_order() -> None:
    documented = re.findall(r"(?m)^\| `(\w+)` \| (yes)?", LOG)
    fields = msgspec.structs.fields(Entry)
    assert [name for name, _ in documented] == [field.encode_name for field in fields]
    assert [bool(always) for _, always in documented] == [field.required for field in fields]


def test_the_line_that_is_shown_is_one_that_would_be_written() -> None:
    [line] = re.findall(r"```json\n(.*)\n```", LOG)
    assert msgspec.json.encode(msgspec.json.decode(line, type=Entry)) == line.encode()
    assert set(json.loads(line)) <= {field.encode_name for field in msgspec.structs.fields(Entry)}
