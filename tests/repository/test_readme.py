"""The way through the README is walked: its commands are typed, its programs run, its output is compared."""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.requirements import PROJECT, require

PAGE = (PROJECT / "README.md").read_text(encoding="utf-8")
WATCHWORD = Path(sys.executable).with_name("watchword")
NODE_MODULES = PROJECT / "tests/sdk/js/node_modules"
IDENTITY = r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}"


def block(language: str, start: str = "") -> str:
    """The one code block of that language that starts so."""
    [found] = re.findall(rf"^```{language}\n({re.escape(start)}.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def file_name(ending: str) -> str:
    """As the page tells to save the program: a name that shadows no module, for instance."""
    [name] = re.findall(rf"as `(\w+\.{ending})`", PAGE)
    return str(name)


def without_what_varies(printed: str) -> str:
    printed = re.sub(IDENTITY, "<identity>", printed)
    printed = re.sub(r"(?<=expires at ).*(?=:)", "<time>", printed)
    printed = re.sub(r"19:acsV1_[\w-]{43}1@thread\.v2", "<thread>", printed)
    printed = re.sub(r"\b\d{13}\b", "<message>", printed)
    printed = re.sub(r"\d{4}-\d\d-\d\d[ T][\d:]{8}(Z|[+-][\d:]{5})", "<time>", printed)
    return re.sub(r"^eyJ.*$", "<token>", printed, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    foreign = ("WATCHWORD_", "COMMUNICATION_", "AZURE_", "NODE_", "JAVA_TOOL", "SSL_CERT", "REQUESTS_CA", "CURL_CA")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"WATCHWORD_HOME": str(tmp_path_factory.mktemp("home")), "SHELL": "/bin/sh"}


@pytest.fixture(scope="module")
def dev(environment: dict[str, str]) -> Iterator[None]:
    """`watchword dev`, as the page says, but on a free port."""
    assert block("sh", ".venv/bin/watchword dev").split() == [".venv/bin/watchword", "dev"]
    command = [str(WATCHWORD), "dev", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            assert any(line.startswith(b"Next, ") for line in process.stdout)
            yield
        finally:
            process.terminate()


def run_beside_dev(program: str, environment: dict[str, str]) -> str:
    """Its output in a shell that was prepared as the page says."""
    prepare = block("sh", "eval ").replace(".venv/bin/watchword", f"'{WATCHWORD}'")
    shell = subprocess.run(
        ["bash", "-euc", prepare + program], env=environment, capture_output=True, text=True, check=False
    )
    assert shell.returncode == 0, shell.stderr
    return shell.stdout


@pytest.mark.parametrize(
    ("typed", "arguments", "start"),
    [
        ("make quickstart\n", [], "Azure Communication Services - Access Tokens Quickstart\n"),
        ("make quickstart ARGS=--chat\n", ["--chat"], "Azure Communication Services - Chat Quickstart\n"),
    ],
)
def test_each_quickstart_prints_what_the_page_shows(
    environment: dict[str, str], typed: str, arguments: list[str], start: str
) -> None:
    assert block("sh", typed) == typed
    command = [str(WATCHWORD), "quickstart", *arguments]
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert without_what_varies(printed.stdout) == without_what_varies(block("text", start))


@pytest.mark.usefixtures("dev")
def test_the_python_program_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    require("bash", "the page's commands are for a shell")
    program = tmp_path / file_name("py")
    program.write_text(block("python"), encoding="utf-8")
    printed = run_beside_dev(f"'{sys.executable}' -W error '{program}'", environment)
    assert re.fullmatch(rf"{IDENTITY} eyJ\S+\n", printed)


@pytest.mark.usefixtures("dev")
def test_the_javascript_program_runs(tmp_path: Path, environment: dict[str, str]) -> None:
    require("bash", "the page's commands are for a shell")
    require("node", "the program is for Node.js")
    require(NODE_MODULES.is_dir(), "the official JavaScript client is not installed")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    program = tmp_path / file_name("mjs")
    program.write_text(block("js"), encoding="utf-8")
    printed = run_beside_dev(f"node '{program}'", environment)
    assert re.fullmatch(rf"{IDENTITY} eyJ\S+\n", printed)


def test_the_wheel_has_the_name_that_make_gives_it() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"dist/watchword-{project['version']}-py3-none-any.whl" in block("sh", "make wheel")


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)\b", PAGE, re.MULTILINE))
    assert named
    assert named <= targets
