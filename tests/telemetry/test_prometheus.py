"""Prometheus itself reads what we tell it, with the configuration and the rules of docs/howto/monitor.md."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.polling import until
from tests.support.requirements import PROJECT, require
from tests.support.scraping import scrape
from tests.support.signed import SignedClient
from watchword.http.sockets import bind
from watchword.settings import Settings
from watchword.testing import RunningServer, running_server

BLOCKS = re.findall(
    r"```yaml\n# ([\w.]+)([^\n]*)\n(.*?)```",
    (PROJECT / "docs/howto/monitor.md").read_text(encoding="utf-8"),
    re.DOTALL,
)
OPERATORS, WITH_TOKEN = (text for name, _, text in BLOCKS if name == "prometheus.yml")
[RULES] = (text for name, _, text in BLOCKS if name == "watchword.rules.yml")


@pytest.fixture(autouse=True)
def tools() -> None:
    require("prometheus", "Prometheus is not installed")
    require("promtool", "promtool, which comes with Prometheus, is not installed")


def written(folder: Path, server: RunningServer, configuration: str, target: str) -> Path:
    """The page's configuration with what differs here: the port, and how often it scrapes."""
    assert server.ca_file is not None
    shutil.copy(server.ca_file, folder / "ca.pem")
    (folder / "operator-token").write_text(server.operator_token, encoding="utf-8")
    (folder / "watchword.rules.yml").write_text(RULES, encoding="utf-8")
    pace = "" if "scrape_interval" in configuration else "global: {scrape_interval: 15s}\n"
    text = (pace + configuration).replace("scrape_interval: 15s", "scrape_interval: 200ms")
    path = folder / "prometheus.yml"
    path.write_text(re.sub(r'"localhost:\d+"', f'"{target}"', text), encoding="utf-8")
    return path


@contextmanager
def prometheus(configuration: Path) -> Iterator[httpx2.Client]:
    """The real server, and a client of its API."""
    [socket] = bind(("127.0.0.1",), 0)
    address = "{}:{}".format(*socket.getsockname())
    socket.close()
    storage = configuration.parent / "prometheus-data"
    options = (f"--config.file={configuration}", f"--storage.tsdb.path={storage}", f"--web.listen-address={address}")
    log = (configuration.parent / "prometheus.log").open("wb")
    with log, subprocess.Popen(["prometheus", *options], stdout=log, stderr=log) as process:
        try:
            with httpx2.Client(base_url=f"http://{address}/api/v1", trust_env=False) as client:
                yield client
        finally:
            process.terminate()


def asked(client: httpx2.Client, path: str, **parameters: str) -> Any:
    try:
        return client.get(path, params=parameters).json()["data"]
    except (httpx2.TransportError, ValueError):
        # It has only just been started.
        return None


def test_promtool_has_nothing_to_say_against_the_text() -> None:
    with running_server(Settings(request_log=False, tls=False)) as server:
        with SignedClient(server) as client:
            client.new_token(client.new_identity())
        text = scrape(server).text
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("configuration", [OPERATORS, WITH_TOKEN], ids=["operators", "token"])
def test_prometheus_scrapes_with_the_pages_configuration(tmp_path: Path, configuration: str) -> None:
    port = 0 if configuration == OPERATORS else None
    with running_server(Settings(request_log=False, operator_port=port)) as server:
        endpoint = server.operator_endpoint or server.endpoint
        path = written(tmp_path, server, configuration, endpoint.partition("://")[2])
        subprocess.run(["promtool", "check", "config", str(path)], check=True, capture_output=True, timeout=60)
        with SignedClient(server) as client:
            client.new_identity()
        with prometheus(path) as api:
            query = 'watchword_requests_total{operation="CommunicationIdentity_Create", status="201"}'
            found = until(lambda: asked(api, "/query", query=query), lambda data: bool(data and data["result"]))
            [result] = found["result"]
            assert result["value"][1] == "1"
            [target] = asked(api, "/targets")["activeTargets"]
            assert (target["health"], target["lastError"]) == ("up", "")
            known = asked(api, "/targets/metadata", metric="watchword_request_duration_seconds")
            assert [each["type"] for each in known] == ["histogram"]
            if configuration == OPERATORS:
                [group] = asked(api, "/rules")["groups"]
                assert {rule["state"] for rule in group["rules"]} == {"inactive"}
                assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}
