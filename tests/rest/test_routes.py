"""Which path a request is for: our words in any case of letters, and what stands between them as it was sent."""

import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest

from tests.support.operations import all_operations
from watchword.rest.call import Binding, Call, RawAnswer
from watchword.rest.doors import Open
from watchword.rest.routes import Path, Routes, paths
from watchword.wire.errors import describe
from watchword.wire.operations import Operation

OPERATIONS = all_operations()


async def answer(call: Call[None]) -> RawAnswer:
    raise AssertionError(call)


ROUTES = Routes(paths([Binding(operation, answer, Open(describe)) for operation in OPERATIONS]))


def found(path: str) -> tuple[str, dict[str, str]] | None:
    at = ROUTES.find(path)
    return None if at is None else (at[0].template, at[1])


@pytest.mark.parametrize("spell", [str, str.upper, str.lower, str.title, str.swapcase])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: f"{operation.id}-{operation.success}")
def test_a_path_is_found_in_any_case_and_its_parts_stay(operation: Operation, spell: Callable[[str], str]) -> None:
    parts = {name: f"As-{name}-Sent" for name in re.findall(r"\{(\w+)\}", operation.path)}
    words = [text if text.startswith("{") else spell(text) for text in operation.path.split("/")]
    assert found("/".join(words).format(**parts)) == (operation.path, parts)


@pytest.mark.parametrize(
    "path",
    [
        "/identities/x/token\u200b",
        "/identities/x/to%E2%84%AAen",
        "/identitie%C5%BF",
        "/identities/x/y",
        "//identities",
    ],
)
def test_what_is_no_word_of_ours_leads_nowhere(path: str) -> None:
    assert found(path) is None


@pytest.mark.parametrize(
    "sent", ["8%3Aacs", "19%3Ax%40y", "%2540", "%253A", "%%3A41", "%%4041", "%4%40", "%41%40", "%c3%a9%40", "%3a", "%"]
)
def test_a_part_is_decoded_once(sent: str) -> None:
    assert found(f"/identities/{sent}") == ("/identities/{id}", {"id": unquote(sent)})


@pytest.mark.parametrize("path", ["/THREADS/ALL", "/threads/all", "/threads/%41ll", "/Threads/All/"])
def test_a_word_goes_before_a_part_in_any_case(path: str) -> None:
    routes = Routes([Path("/threads/{id}"), Path("/threads/all"), Path("/threads/all/{id}")])
    at = routes.find(path)
    assert at is not None
    assert (at[0].template, at[1]) == ("/threads/all", {})
    other = routes.find("/threads/ALLE")
    assert other is not None
    assert other[1] == {"id": "ALLE"}


@pytest.mark.parametrize(
    ("path", "is_found"),
    [("/trouter/poll", True), ("/trouter/%70oll", True), ("/Trouter/poll", False), ("/trouter/POLL", False)],
)
def test_a_path_that_is_not_read_in_any_case_is_found_as_it_is_spelled_alone(path: str, is_found: bool) -> None:
    exact = Operation("Exact", "GET", "/trouter/poll", 200, None, "", is_path_in_any_case=False)
    other = Operation("Other", "GET", "/trouter/{id}/all", 200, None, "")
    routes = Routes(paths([Binding(operation, answer, Open(describe)) for operation in (exact, other)]))
    at = routes.find(path)
    assert (at is not None) == is_found
    assert routes.find("/TROUTER/x/ALL") is not None
