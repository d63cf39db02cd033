"""nginx in front of two nodes, as docs/howto/behind-a-proxy.md says: each in turn is told to stop, under load."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.history.nodes import Node
from tests.support.callers import all_identities, callers, created, wait_for_more
from tests.support.nginx import free_port, nginx
from tests.support.postgres import Cluster
from tests.support.releases import Reached
from tests.support.requirements import PROJECT, require
from tests.support.signed import SignedClient
from watchword.server.installation import read_access_keys
from watchword.settings import load_settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
SEVERAL = "max_fails=0"
"""What the page says of each server where there are several."""

PAGE = PROJECT / "docs" / "howto" / "behind-a-proxy.md"


def site(port: int, nodes: list[Node]) -> str:
    """The page's own words, with two servers and without TLS."""
    [found] = re.findall(r"```nginx\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    said = found.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace("acs.example", "localhost")
    said = re.sub(r" *ssl_certificate.*\n", "", said)
    servers = " ".join(f"server 127.0.0.1:{node.address[1]} {SEVERAL};" for node in nodes)
    assert "server 127.0.0.1:8080;" in said
    assert f"server 10.0.0.7:8080 {SEVERAL};" in PAGE.read_text(encoding="utf-8")
    return str(said.replace("server 127.0.0.1:8080;", servers))


@contextmanager
def balanced(folder: Path, database: str) -> Iterator[tuple[Reached, list[Node]]]:
    environment = {
        "WATCHWORD_DATABASE": database,
        "WATCHWORD_ENCRYPTION_KEY": KEY,
        "WATCHWORD_TRUSTED_PROXIES": "127.0.0.1",
    }
    nodes = [Node(folder / str(number), environment) for number in range(2)]
    with ExitStack() as stack:
        for node in nodes:
            stack.callback(node.stop)
            node.start()
        primary, secondary = read_access_keys(load_settings(environment), nodes[0].data)
        balancer = Reached(free_port(), (primary.secret, secondary.secret))
        stack.enter_context(nginx(site(balancer.port, nodes), balancer.port, folder))
        yield balancer, nodes


def test_nodes_are_told_to_stop_one_after_the_other_and_nobody_notices(tmp_path: Path, cluster: Cluster) -> None:
    require("nginx", "nginx is the balancer: install the package nginx")
    with balanced(tmp_path, cluster.fresh()) as (balancer, nodes):
        with callers(balancer) as every:
            for node in nodes:
                node.stop()
                wait_for_more(every)
                node.start()
                wait_for_more(every)
        assert [failure for each in every for failure in each.failures] == []
        with SignedClient(balancer) as client:
            assert all_identities(client) == created(every)
