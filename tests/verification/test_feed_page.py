"""docs/reference/revocation-feed.md says what the feed says."""

import re
from typing import get_args

import msgspec

from tests.support.requirements import PROJECT
from watchword.journal.waiting import POLL_SECONDS
from watchword.revocations.feed import LARGEST_PAGE
from watchword.verification.operations import LONGEST_WAIT_SECONDS
from watchword.wire.verification import Kind, RevocationPage

PAGE = (PROJECT / "docs/reference/revocation-feed.md").read_text("utf-8")


def test_its_example_is_a_page() -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    page = msgspec.json.decode(example, type=RevocationPage)
    assert page.cursor in PAGE
    assert {entry.kind for entry in page.revocations} <= set(get_args(Kind))


def test_its_tables_name_every_field_and_kind() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert {*RevocationPage.__struct_fields__, *get_args(Kind), "since", "wait"} == set(rows)


def test_its_numbers_are_those_of_the_source() -> None:
    assert f"from 0 to {LONGEST_WAIT_SECONDS}" in PAGE
    assert f"pages of {LARGEST_PAGE}" in PAGE
    assert f"at most {POLL_SECONDS * 1_000:.0f} ms apart" in PAGE
