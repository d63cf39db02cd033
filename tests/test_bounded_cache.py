"""What strangers send is not kept beyond a bound: the cache, every use of one, and a server that is sent much."""

from __future__ import annotations

import ast
import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import watchword
from tests.support.servers import running_server
from tests.support.signed import NEWEST, SignedClient
from watchword.bounded_cache import bounded_cache
from watchword.settings import Settings
from watchword.telemetry.sdks import find_sdk

SOURCE = Path(watchword.__path__[0])
CREATE = f"/identities?api-version={NEWEST}"
DATE = "Sat, 21 Nov 2026 01:14:27 GMT"

OTHER_CACHES = {
    "bounded_cache.py": "it is the bounded one",
    "resources/access_keys.py": "rows of access keys, which the database has",
    "rest/authentication.py": "access keys, which the database has",
    "tokens/jwks.py": "nothing is handed to it",
    "wire/chat_values.py": "seconds, as numbers",
    "wire/realtime_texts.py": "seconds, as numbers",
    "wire/times.py": "seconds, as numbers",
}
"""Where a cache is not made by `bounded_cache`, and what it keeps that no stranger chooses."""

KIND = ("lru_cache", "cache")
LARGE = 20_000
SENT = 100
"""Of each kind, so that whoever keeps the texts alone keeps two megabytes."""

KEPT_AT_MOST = 500_000


# -- The cache.


def test_a_short_text_is_worked_out_once_and_a_long_one_each_time() -> None:
    asked: list[str] = []

    @bounded_cache(most_entries=2, longest_text=3)
    def length(text: str) -> int:
        asked.append(text)
        return len(text)

    assert [length(text) for text in ("abc", "abc", "abcd", "abcd")] == [3, 3, 4, 4]
    assert asked == ["abc", "abcd", "abcd"]


def test_only_so_many_are_remembered() -> None:
    asked: list[str] = []
    look_up = bounded_cache(most_entries=2, longest_text=3)(asked.append)
    for text in ("a", "b", "c", "a", "c"):
        look_up(text)
    assert asked == ["a", "b", "c", "a"]


# -- Every use of one.


def caches(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "functools":
            yield from (each.name for each in node.names if each.name in KIND)
        elif isinstance(node, ast.Attribute) and node.attr in KIND:
            yield node.attr


def test_no_other_cache_keeps_what_a_stranger_sends() -> None:
    found = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py") if any(caches(path))}
    assert found == set(OTHER_CACHES), "use bounded_cache, or say in OTHER_CACHES what it keeps"


# -- A server that is sent much.


@contextmanager
def kept() -> Iterator[Callable[[], int]]:
    """How many bytes more are held, by all of this process."""

    def held() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held()
        yield lambda: held() - before
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def client() -> Iterator[SignedClient]:
    settings = Settings(tls=False, resource_suffix="acs.test", head_deadline=60)
    with running_server(settings) as server, SignedClient(server) as signed:
        yield signed


def _large(number: int) -> str:
    return f"{number:06d}".ljust(LARGE, "a")


def _query(number: int) -> tuple[str, dict[str, str]]:
    return f"{CREATE}&{_large(number)}", {}


def _many_parameters(number: int) -> tuple[str, dict[str, str]]:
    return f"{CREATE}&" + "&".join(f"{number:06d}{each:x}" for each in range(500)), {}


def _date(number: int) -> tuple[str, dict[str, str]]:
    return CREATE, {"x-ms-date": f"{DATE} ({_large(number)})"}


def _host(number: int) -> tuple[str, dict[str, str]]:
    return CREATE, {"Host": _large(number)}


def _resource_host(number: int) -> tuple[str, dict[str, str]]:
    return CREATE, {"Host": f"{_large(number)}.acs.test"}


def _signed_headers(number: int) -> tuple[str, dict[str, str]]:
    names = ";".join(f"{number:06d}{each:x}" for each in range(1_000))
    proof = f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256;{names}&Signature=A"
    return CREATE, {"Authorization": proof}


def _agent(number: int) -> tuple[str, dict[str, str]]:
    return CREATE, {"User-Agent": _large(number), "x-ms-useragent": _large(number)[:10_000]}


def _bearer(number: int) -> tuple[str, dict[str, str]]:
    return CREATE, {"Authorization": f"Bearer wwv_{_large(number)}_x"}


@pytest.mark.parametrize(
    "request_of",
    [_query, _many_parameters, _date, _host, _resource_host, _signed_headers, _agent, _bearer],
    ids=lambda made: made.__name__.strip("_"),
)
def test_a_server_keeps_nothing_of_what_strangers_send(
    client: SignedClient, request_of: Callable[[int], tuple[str, dict[str, str]]]
) -> None:
    def send(number: int) -> None:
        target, headers = request_of(number)
        request = client.sign("POST", target, key=b"wrong", host="stranger.acs.test")
        request.headers |= headers
        assert client.send(request).status in (400, 401, 431)

    send(0)
    with kept() as more:
        for number in range(1, SENT + 1):
            send(number)
        assert more() < KEPT_AT_MOST


def test_the_name_of_a_client_is_looked_for_at_the_beginning_only() -> None:
    # The search through 32 KB of the right beginnings took half a second.
    sdk = "azsdk-python-communication-identity/1.5.0"
    assert find_sdk({"user-agent": f"{'a' * 100} {sdk} Python/3.11"}) == sdk
    assert find_sdk({"user-agent": f"{'a' * 300} {sdk}"}) is None
    assert find_sdk({"user-agent": "Mozilla " * 1_000, "x-ms-useragent": sdk}) == sdk
