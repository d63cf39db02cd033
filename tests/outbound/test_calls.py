"""Calls over real sockets on loopback, with a resolver of ours: what is called, what is sent, what is believed."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.scripted_server import HANG_UP, SILENCE, ScriptedServer, reply, scripted_server
from watchword.certificates import ensure_leaf, prepare_authority
from watchword.errors import AddressRefused, NoAnswer
from watchword.outbound.addresses import AddressRule
from watchword.outbound.calls import LARGEST_ANSWER_BYTES, Calls
from watchword.outbound.targets import read_target

LOOPBACK = AddressRule(("127.0.0.0/8", "::1"))
NAME = "hooks.acs.lab.internal"
METADATA = "169.254.169.254"


class Answers:
    """A resolver whose answers a test writes, one after the other; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def port_of(server: ScriptedServer) -> int:
    return int(server.endpoint.rpartition(":")[2])


@asynccontextmanager
async def calls_to(
    address: str, resolve: Answers, rule: AddressRule = LOOPBACK, verify: ssl.SSLContext | None = None
) -> AsyncIterator[Calls]:
    calls = Calls(read_target(address), rule, resolve=resolve, verify=verify)
    try:
        yield calls
    finally:
        await calls.close()


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Callable[[], ssl.SSLContext]]:
    """A server's, whose certificate names NAME; and what makes one of a client that trusts its CA alone."""
    folder: Path = tmp_path_factory.mktemp("ca")
    authority, _ = prepare_authority(folder, datetime(2026, 11, 29, tzinfo=UTC), "acs.lab.internal")
    leaf, _ = ensure_leaf(authority, folder, [NAME], now=datetime.now(UTC))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(leaf.certificate_path, leaf.key_path)
    return server, lambda: ssl.create_default_context(cafile=str(authority.certificate_path))


async def test_name_is_called_at_the_address_that_was_checked() -> None:
    resolve = Answers(["127.0.0.1"])
    with scripted_server(reply(200, "yes")) as server:
        async with calls_to(f"http://{NAME}:{port_of(server)}/ask?x=1", resolve) as calls:
            answer = await calls.post(b"{}", {"Content-Type": "application/json"}, seconds=10)
    assert (answer.status, answer.body) == (200, b"yes")
    [received] = server.received
    assert (received.method, received.target, received.body) == ("POST", "/ask?x=1", b"{}")
    assert received.headers["host"] == f"{NAME}:{port_of(server)}"
    assert resolve.asked == [NAME]


async def test_name_that_was_bound_anew_is_checked_anew() -> None:
    resolve = Answers(["127.0.0.1"], [METADATA])
    with scripted_server(reply(200), reply(200)) as server:
        async with calls_to(f"http://{NAME}:{port_of(server)}/", resolve) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200
            with pytest.raises(AddressRefused):
                await calls.post(b"", {}, seconds=10)
    assert len(server.received) == 1


@pytest.mark.parametrize("forbidden", [METADATA, "10.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "0.0.0.0"])
async def test_one_forbidden_address_among_several_forbids_the_name(forbidden: str) -> None:
    for found in (["127.0.0.1", forbidden], [forbidden, "127.0.0.1"], [*["127.0.0.1"] * 9, forbidden]):
        with scripted_server(reply(200)) as server:
            async with calls_to(f"http://{NAME}:{port_of(server)}/", Answers(found)) as calls:
                with pytest.raises(AddressRefused):
                    await calls.post(b"", {}, seconds=10)
        assert server.received == []


@pytest.mark.parametrize("host", ["127.0.0.1", NAME, "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost."])
async def test_this_machine_is_not_called_unless_a_setting_allows_it(host: str) -> None:
    with scripted_server(reply(200)) as server:
        address = f"http://{host}:{port_of(server)}/"
        async with calls_to(address, Answers(["127.0.0.1"]), AddressRule()) as calls:
            with pytest.raises(AddressRefused, match="--outbound-networks"):
                await calls.post(b"", {}, seconds=10)
        assert server.received == []
        async with calls_to(address, Answers(["127.0.0.1"])) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200


async def test_address_by_itself_asks_no_resolver() -> None:
    resolve = Answers([METADATA])
    with scripted_server(reply(200)) as server:
        async with calls_to(server.endpoint, resolve) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200
    assert resolve.asked == []


async def test_next_address_of_a_name_is_tried_where_one_is_not_reached() -> None:
    with scripted_server(reply(200)) as server:
        async with calls_to(f"http://{NAME}:{port_of(server)}/", Answers(["127.0.0.2", "127.0.0.1"])) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200


async def test_redirect_is_an_answer_and_leads_nowhere() -> None:
    with scripted_server(reply(200)) as beside:
        moved = reply(307, location=beside.endpoint, set_cookie="a=b")
        with scripted_server(moved, reply(200)) as server:
            async with calls_to(server.endpoint, Answers([])) as calls:
                assert (await calls.post(b"", {}, seconds=10)).status == 307
                await calls.post(b"", {}, seconds=10)
        assert [each.headers.get("cookie") for each in server.received] == [None, None]
        assert beside.received == []


async def test_proxy_of_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted_server(reply(502)) as proxy, scripted_server(reply(200)) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.endpoint)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with calls_to(f"http://{NAME}:{port_of(server)}/", Answers(["127.0.0.1"])) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200
    assert proxy.received == []


async def test_answer_is_read_to_its_limit_and_no_further() -> None:
    most = "x" * LARGEST_ANSWER_BYTES
    with scripted_server(reply(200, most), reply(200, f"{most}x")) as server:
        async with calls_to(server.endpoint, Answers([])) as calls:
            assert len((await calls.post(b"", {}, seconds=10)).body) == LARGEST_ANSWER_BYTES
            with pytest.raises(NoAnswer, match="64 KB"):
                await calls.post(b"", {}, seconds=10)


async def test_compressed_answer_stays_as_it_came() -> None:
    with scripted_server(reply(200, "no gzip at all", content_encoding="gzip")) as server:
        async with calls_to(server.endpoint, Answers([])) as calls:
            assert (await calls.post(b"", {}, seconds=10)).body == b"no gzip at all"
    assert server.received[0].headers["accept-encoding"] == "identity"


async def test_silence_ends_with_the_time_for_the_whole_call() -> None:
    with scripted_server(SILENCE) as server:
        async with calls_to(server.endpoint, Answers([])) as calls:
            with pytest.raises(NoAnswer, match=r"within 0\.1 seconds"):
                await calls.post(b"", {}, seconds=0.1)
        server.ending.set()


async def test_name_that_is_never_resolved_ends_with_the_time_for_the_whole_call() -> None:
    async def never(name: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    calls = Calls(read_target(f"https://{NAME}/"), LOOPBACK, resolve=never)
    with pytest.raises(NoAnswer, match="within"):
        await calls.post(b"", {}, seconds=0.05)
    await calls.close()


@pytest.mark.parametrize(
    ("begun", "goes_on"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"", b"x"),
    ],
)
async def test_answer_that_never_ends_is_none(begun: bytes, goes_on: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(begun)
            while True:
                writer.write(goes_on)
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with calls_to(f"http://127.0.0.1:{port}/", Answers([])) as calls:
            with pytest.raises(NoAnswer):
                await calls.post(b"", {}, seconds=0.5)


@pytest.mark.parametrize(
    "torn", [HANG_UP, b"SSH-2.0-OpenSSH_9 s3cret\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"]
)
async def test_broken_connection_is_asked_once_more_and_what_came_is_not_shown(torn: bytes) -> None:
    with scripted_server(torn, reply(200), torn, torn) as server:
        async with calls_to(server.endpoint, Answers([])) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200
            with pytest.raises(NoAnswer) as told:
                await calls.post(b"", {}, seconds=10)
    assert "s3cret" not in str(told.value)
    assert "SSH" not in str(told.value)
    assert len(server.received) == 4


async def test_nobody_there_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with calls_to(f"http://127.0.0.1:{port}/", Answers([])) as calls:
        with pytest.raises(NoAnswer, match="There was no answer"):
            await calls.post(b"", {}, seconds=10)


async def test_certificate_has_to_name_the_name_and_not_the_address(
    contexts: tuple[ssl.SSLContext, Callable[[], ssl.SSLContext]],
) -> None:
    server_side, client_side = contexts
    shown: list[str | None] = []
    server_side.sni_callback = lambda _, name, __: shown.append(name)
    with scripted_server(reply(200), tls=server_side) as server:
        async with calls_to(
            f"https://{NAME}.:{port_of(server)}/", Answers(["127.0.0.1"]), verify=client_side()
        ) as calls:
            assert (await calls.post(b"", {}, seconds=10)).status == 200
        for other in ("other.acs.lab.internal", "acs.lab.internal"):
            address = f"https://{other}:{port_of(server)}/"
            async with calls_to(address, Answers(["127.0.0.1"]), verify=client_side()) as calls:
                with pytest.raises(NoAnswer, match="ertificate"):
                    await calls.post(b"", {}, seconds=10)
    assert len(server.received) == 1
    assert shown == [NAME, "other.acs.lab.internal", "acs.lab.internal"]


async def test_certificate_of_an_unknown_authority_is_refused(
    contexts: tuple[ssl.SSLContext, Callable[[], ssl.SSLContext]],
) -> None:
    with scripted_server(reply(200), tls=contexts[0]) as server:
        async with calls_to(f"https://{NAME}:{port_of(server)}/", Answers(["127.0.0.1"])) as calls:
            with pytest.raises(NoAnswer, match="ertificate"):
                await calls.post(b"", {}, seconds=10)
    assert server.received == []
