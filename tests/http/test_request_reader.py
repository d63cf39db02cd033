"""Whatever the pieces in which bytes come, and whenever reading rests, the same requests are read of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import TooLarge
from watchword.http.exchange import Exchange
from watchword.http.large_bodies import LargeBodies
from watchword.http.request_reader import MAXIMUM_BODY_BYTES, MAXIMUM_HEAD_BYTES, NotHttp, Part, RequestReader
from watchword.http.websocket import OnOpen

LARGEST = 4 * MAXIMUM_BODY_BYTES


class Nobody:
    """A connection that is never answered on."""

    scheme = "http"
    client_host: str | None = None
    server_port: int | None = None
    is_lost = False
    is_stopping = False
    persistence = ""
    date = ""

    def send(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def finish(self, exchange: Exchange) -> None: ...

    def can_switch(self, exchange: Exchange) -> bool:
        return False

    def switch(self, on_open: OnOpen) -> None: ...


@dataclass
class Reading:
    """Reads pieces, and rests at each request where it is told to."""

    rests: bool = False
    large_bodies: LargeBodies = field(default_factory=LargeBodies)
    found: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = RequestReader(
            Nobody(),
            self._enter,
            lambda: None,
            hand_on=self._take,
            hand_on_offer=self._take_offer,
            most_body_bytes=lambda _: LARGEST,
            large_bodies=self.large_bodies,
        )

    def read(self, *pieces: bytes) -> list[Exchange]:
        for piece in pieces:
            self.reader.feed(piece)
        while self.reader.is_paused:
            self.reader.is_paused = False
            self.reader.feed(b"")
        return self.found

    @property
    def part(self) -> Part:
        return self.reader.part

    def _enter(self, part: Part) -> None:
        assert part in Part

    def _take(self, exchange: Exchange) -> None:
        self.found.append(exchange)
        self.reader.is_paused = self.rests

    def _take_offer(self, exchange: Exchange) -> None:
        assert self.reader.is_paused
        self.found.append(exchange)


@dataclass(frozen=True)
class Sent:
    """What a request says, and how it is put."""

    target: str
    body: bytes
    is_chunked: bool
    offer: str
    trailers: int

    def to_bytes(self) -> bytes:
        lines = [f"PUT {self.target} HTTP/1.1", "Host: x", "A: 1", "a: 2"]
        if self.offer:
            lines += ["Connection: Upgrade", f"Upgrade: {self.offer}"]
        if not self.is_chunked:
            lines += [f"Content-Length: {len(self.body)}"] if self.body else []
            return "\r\n".join([*lines, "", ""]).encode() + self.body
        chunks = b"".join(b"3;a=b\r\n" + self.body[at : at + 3] + b"\r\n" for at in range(0, len(self.body) - 2, 3))
        left = self.body[len(self.body) // 3 * 3 :]
        chunks += b"%x\r\n%b\r\n" % (len(left), left) if left else b""
        trailers = "".join(f"Trailer-{number}: x\r\n" for number in range(self.trailers))
        lines.append("Transfer-Encoding: chunked")
        return "\r\n".join([*lines, "", ""]).encode() + chunks + b"0\r\n" + trailers.encode() + b"\r\n"


requests = st.builds(
    Sent,
    target=st.sampled_from(["/", "/a?b=%20", "/identities?", "/" + "x" * 3_000]),
    body=st.sampled_from([b"", b"{}", b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n", b"\r\n" * 3, b"x" * 9_000]),
    is_chunked=st.booleans(),
    offer=st.sampled_from(["", "", "h2c", "TLS/1.2", "websocket"]),
    trailers=st.integers(0, 3),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


@given(sent=st.lists(requests, min_size=1, max_size=6), places=st.lists(st.integers(0, 50_000)), rests=st.booleans())
def test_pieces_and_rests_change_nothing(sent: list[Sent], places: list[int], rests: bool) -> None:
    data = b"".join(each.to_bytes() for each in sent)
    reading = Reading(rests)
    found = reading.read(*cut(data, places))
    assert [(each.method, each.target, each.body, each.keep_alive) for each in found] == [
        ("PUT", each.target, each.body, True) for each in sent
    ]
    for each in found:
        assert each.headers["a"] == "1, 2"
        assert not [name for name in each.headers if name.startswith("trailer")]
    assert reading.part is Part.NOTHING


@given(places=st.lists(st.integers(0, 50_000)), offer=st.sampled_from(["", "Connection: Upgrade\r\nUpgrade: h2c\r\n"]))
def test_nothing_is_read_behind_the_last_request(places: list[int], offer: str) -> None:
    last = f"PUT / HTTP/1.1\r\n{offer}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    [found] = Reading().read(*cut(last + b"GET / HTTP/1.1\r\n\r\nrubbish\r\n" + b"\x00" * 9_000, places))
    assert (found.body, found.keep_alive) == (b"{}", False)


@given(places=st.lists(st.integers(0, 100_000)))
def test_a_head_without_an_end_is_too_large(places: list[int]) -> None:
    for start in (
        b"GET /",
        b"GET / HTTP/1.1\r\nA",
        b"GET / HTTP/1.1\r\nA: ",
        b"GET / HTTP/1.1\r\n" + b"A:\r\n" * 8_000,
    ):
        with pytest.raises(TooLarge):
            Reading().read(*cut(start + b"x" * (MAXIMUM_HEAD_BYTES + 10_000), places))


def test_what_waits_is_read_no_further_than_to_the_first_rest() -> None:
    reading = Reading(rests=True)
    with_rubbish = b"GET / HTTP/1.1\r\n\r\n" * 1_000 + b"rubbish\r\n"
    reading.reader.feed(with_rubbish)
    # A piece holds some two hundred; the parser is not given more for a request that waits.
    assert 0 < len(reading.found) < 300
    with pytest.raises(NotHttp):
        reading.read()
    assert len(reading.found) == 1_000


def large(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size


def test_large_bodies_share_room_which_is_given_back_once_each_is_whole_or_its_client_gone() -> None:
    room = LargeBodies(2 * MAXIMUM_BODY_BYTES)
    one, other, third = (Reading(large_bodies=room) for _ in range(3))
    assert one.read(large(LARGEST // 2)[:-1]) == []
    [refused] = other.read(large(LARGEST))
    assert (refused.finds_no_room, refused.is_too_large, refused.body, refused.keep_alive) == (True, False, b"", False)
    [whole] = one.read(b"x")
    assert (len(whole.body), whole.finds_no_room) == (LARGEST // 2, False)
    assert third.read(large(LARGEST // 2)[:-1]) == []
    third.reader.close()
    assert room.take(2 * MAXIMUM_BODY_BYTES)


def test_a_body_like_most_needs_no_room() -> None:
    [found] = Reading(large_bodies=LargeBodies(0)).read(large(MAXIMUM_BODY_BYTES))
    assert len(found.body) == MAXIMUM_BODY_BYTES


def test_a_body_larger_than_any_may_be_is_told_so_whatever_room_there_is() -> None:
    [found] = Reading().read(large(LARGEST + 1))
    assert (found.is_too_large, found.finds_no_room) == (True, False)
