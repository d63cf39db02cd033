"""nginx in front of the service, as docs/howto/behind-a-proxy.md says: the page's own words are what runs here."""

import dataclasses
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.sdk import test_javascript, test_python
from tests.sdk.contract import IdentityContract, Introspect, LifetimeContract, is_active
from tests.sdk.programs import Plan, Run, run_plan, trusting_environment
from tests.support.chat_users import new_user
from tests.support.nginx import free_port, nginx
from tests.support.realtime_clients import RealtimeClient
from tests.support.requirements import PROJECT, require
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.certificates import ensure_leaf, prepare_authority
from watchword.cli.realtime_checks import check_way
from watchword.settings import Settings
from watchword.testing import RunningServer

_PAGE = PROJECT / "docs" / "howto" / "behind-a-proxy.md"
_PLANS = [*(test_python.NEWEST[kind, "2023-10-01"] for kind in test_python.KINDS), test_javascript.PLAN]
_LIST = "/identities?maxPageSize=1"

Front = Callable[[RunningServer], AbstractContextManager[RunningServer]]


def _site(**replaced: str) -> str:
    """The page's nginx block, with the names, ports and files of this machine."""
    found = re.findall(r"```nginx\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 1
    site: str = found[0]
    for old, new in {"127.0.0.1:8080": replaced["behind"], "listen 443": f"listen {replaced['listen']}"}.items():
        assert old in site
        site = site.replace(old, new)
    for ending in ("pem", "key"):
        assert f"/etc/ssl/acs.example.{ending}" in site
        site = site.replace(f"/etc/ssl/acs.example.{ending}", replaced[ending])
    return site.replace("acs.example", "localhost")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Front:
    """Puts nginx before a server, and shows the server as it is seen from outside."""
    require("nginx", "nginx stands in front of the service")

    @contextmanager
    def put(server: RunningServer) -> Iterator[RunningServer]:
        folder = tmp_path_factory.mktemp("nginx")
        now = datetime.now(UTC)
        authority, _ = prepare_authority(folder / "ca", now)
        leaf, _ = ensure_leaf(authority, folder / "leaf", [], now=now)
        port = free_port()
        site = _site(
            behind=f"127.0.0.1:{server.port}",
            listen=f"127.0.0.1:{port}",
            pem=str(leaf.certificate_path),
            key=str(leaf.key_path),
        )
        with nginx(site, port, folder):
            yield dataclasses.replace(
                server, port=port, endpoint=f"https://localhost:{port}", ca_file=authority.certificate_path
            )

    return put


@contextmanager
def _plain(**settings: object) -> Iterator[RunningServer]:
    with running_server(Settings(tls=False, request_log=False, **settings)) as server:  # type: ignore[arg-type]
        yield server


@pytest.fixture(scope="module")
def inside() -> Iterator[RunningServer]:
    """The server itself, which believes what comes from 127.0.0.1."""
    with _plain(trusted_proxies=("127.0.0.1",)) as server:
        yield server


@pytest.fixture(scope="module")
def outside(inside: RunningServer, front: Front) -> Iterator[RunningServer]:
    """The same, through nginx."""
    with front(inside) as server:
        yield server


@pytest.fixture
def client(outside: RunningServer) -> Iterator[SignedClient]:
    """A client of a resource with two identities, so that a page of one has a next."""
    with SignedClient(outside) as client:
        _create_two(client)
        yield client


@pytest.fixture(scope="module", params=_PLANS, ids=str)
def run(request: pytest.FixtureRequest, outside: RunningServer, bundles: Path) -> Run:
    plan: Plan = request.param
    return run_plan(plan, outside, trusting_environment(outside, bundles))


@pytest.fixture
def introspect(outside: RunningServer) -> Introspect:
    return partial(is_active, outside)


class TestOfficialClients(IdentityContract, LifetimeContract):
    """The official clients see no difference, whether they encode the colons of a path or not."""


def test_next_link_leads_back_through_the_proxy(client: SignedClient) -> None:
    link = _next_link(client)
    assert link.startswith(f"{client.server.endpoint}/identities?")
    assert client.call("GET", link.removeprefix(client.server.endpoint)).json["value"]


@pytest.mark.parametrize("target", ["/identities?customId=%7e~%2F/+%20", "/identities?maxPageSize=1&&a=%C3%A9&b"])
def test_target_arrives_as_it_was_signed(client: SignedClient, target: str) -> None:
    assert client.call("GET", target).status == 200


@pytest.mark.parametrize(
    "claimed", [{"Forwarded": "proto=http;host=evil.example"}, {"X-Forwarded-Host": "evil.example"}], ids=str
)
def test_what_a_client_claims_about_proxies_does_not_get_through(client: SignedClient, claimed: dict[str, str]) -> None:
    assert _next_link(client, headers=claimed).startswith(f"{client.server.endpoint}/")


def test_a_chat_is_heard_over_a_websocket_through_the_proxy(client: SignedClient) -> None:
    ada, ben = new_user(client), new_user(client)
    thread = ada.new_thread(ben)
    of_ben = RealtimeClient(ben, client.server)
    config = of_ben.ask("GET", "/chat/config/realTimeNotifications?api-version=2024-09-01").json
    assert config["trouterServiceUrl"] == config["registrarServiceUrl"] == client.server.endpoint
    with of_ben.opened() as socket:
        for number in range(20):
            ada.send(thread, str(number))
            assert socket.text() == str(number)
        socket.connection.send('5:1+::{"name":"ping"}')
        assert socket.frame() == "6:::1"


def test_doctor_says_whether_the_proxy_lets_websockets_through(outside: RunningServer, inside: RunningServer) -> None:
    assert check_way(outside.endpoint).status == check_way(inside.endpoint).status == "ok"
    port = free_port()
    site = f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{inside.port}; }} }}"
    with TemporaryDirectory() as folder, nginx(site, port, Path(folder)):
        finding = check_way(f"http://localhost:{port}")
        assert (finding.status, "Upgrade" in finding.remedy) == ("problem", True)
    finding = check_way(f"http://localhost:{port}")
    assert (finding.status, "could not be asked" in finding.message) == ("warning", True)


def test_forwarding_headers_of_an_untrusted_peer_do_not_count(front: Front) -> None:
    claimed = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    with _plain(trusted_proxies=("192.0.2.1",)) as server, front(server) as through:
        with SignedClient(server) as client:
            _create_two(client)
            assert _next_link(client, headers=claimed).startswith(f"{server.endpoint}/")
        with SignedClient(through) as client:
            # The proxy's own headers count as little: the host is the one it passes on, the scheme that of its hop.
            assert _next_link(client).startswith(f"http://localhost:{through.port}/")


def test_public_endpoint_stands_in_every_link_and_is_accepted_as_the_signed_host() -> None:
    with _plain(public_endpoint="https://acs.example") as server, SignedClient(server) as client:
        _create_two(client)
        # A proxy that does name another host is forgiven, as long as the client signed the public one.
        request = client.sign("GET", _LIST, host="acs.example")
        request.headers["Host"] = client.host
        assert client.send(request).json["nextLink"].startswith("https://acs.example/identities?")


def _create_two(client: SignedClient) -> None:
    for _ in range(2):
        client.new_identity()


def _next_link(client: SignedClient, **parts: Any) -> str:
    reply = client.call("GET", _LIST, **parts)
    assert reply.status == 200, reply
    link: str = reply.json["nextLink"]
    return link
