"""Real Python, Node.js and Java trust the server once a real shell has evaluated our lines."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.requirements import require
from tests.support.shells import evaluate
from tests.support.tls import run_java, run_node, tls_server, without_trust
from watchword.certificates import LocalAuthority, ensure_leaf, prepare_authority
from watchword.cli.environment import Environment, build_environment
from watchword.server.shells import Shell, format_lines

TODAY = datetime.now(UTC)
CONNECTION_STRING = "endpoint=https://localhost:8443/;accesskey=c2VjcmV0IGtleQ=="


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    # A folder with a blank and quotes in its name, as users have them, goes through everything.
    return prepare_authority(tmp_path / 'it\'s "my" folder' / "ca", TODAY)[0]


def build(authority: LocalAuthority, current: Mapping[str, str]) -> Environment:
    return build_environment(
        CONNECTION_STRING, authority.certificate_path, authority.folder.parent / "bundles", current=current
    )


@pytest.fixture(params=["sh", "fish"])
def evaluated(request: pytest.FixtureRequest, authority: LocalAuthority, tmp_path: Path) -> dict[str, str]:
    """The environment of a shell that has evaluated our lines, beside the machine's own set-up."""
    shell: str = request.param
    require(shell, f"{shell} evaluates the lines")
    current = {**without_trust(), "HOME": str(tmp_path)}
    lines = format_lines(build(authority, current).variables, Shell(shell))
    if shell == "sh":
        return evaluate(["sh", "-c", 'eval "$1"; exec env -0', "sh", lines], current)
    return evaluate(["fish", "--no-config", "-c", "printf %s $argv[1] | source; env -0", lines], current)


def test_python_node_and_java_trust_the_server(
    authority: LocalAuthority, evaluated: dict[str, str], tmp_path: Path
) -> None:
    require("node", "Node.js calls the server")
    require("java", "Java calls the server")
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=TODAY)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        url = f"https://localhost:{port}/"
        program = f"import urllib.request as u; print(u.urlopen({url!r}).read().decode(), end='')"
        python = subprocess.run(
            [sys.executable, "-c", program], env=evaluated, capture_output=True, text=True, check=False
        )
        assert python.stdout == "hello", python.stderr
        node = run_node(url, evaluated)
        assert node.stdout == "hello", node.stderr
        java = run_java(url, evaluated, tmp_path)
        assert java.stdout == "hello", java.stderr


def test_requests_trusts_the_server(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=TODAY)
    variables = build(authority, {}).variables
    program = "import requests, sys; print(requests.get(sys.argv[1], timeout=30).text, end='')"
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        command = [sys.executable, "-c", program, f"https://localhost:{port}/"]
        trusting = subprocess.run(
            command, env={**without_trust(), **variables}, capture_output=True, text=True, check=False
        )
        refusing = subprocess.run(command, env=without_trust(), capture_output=True, text=True, check=False)
    assert trusting.stdout == "hello", trusting.stderr
    assert "CERTIFICATE_VERIFY_FAILED" in refusing.stderr


def test_java_refuses_without_our_store(authority: LocalAuthority, tmp_path: Path) -> None:
    require("java", "Java calls the server")
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=TODAY)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        java = run_java(f"https://localhost:{port}/", without_trust(), tmp_path)
    assert java.returncode != 0
    assert "SSLHandshakeException" in java.stderr
