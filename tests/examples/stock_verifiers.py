"""The programs of docs/howto/verify-a-token-elsewhere.md, made of the page and started: one for each stock library."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.requirements import PROJECT, require
from tests.support.tls import without_trust
from watchword.files import exclusive

PAGE = PROJECT / "docs/howto/verify-a-token-elsewhere.md"
LIBRARIES = ("pyjwt", "joserfc", "jose", "spring", "go-oidc")

_OURS = Path(__file__).with_name("stock")
_NODE_PACKAGES = PROJECT / "tests/sdk/js/node_modules"
_CLASS_PATH = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"
_FETCHING_SECONDS = 300
_ENDING_SECONDS = 20


@dataclass(frozen=True)
class StockVerifier:
    """A program of the page, which answers each token with a line."""

    process: subprocess.Popen[str]

    def verify(self, token: str) -> str:
        """What it says: `good` and whom the token is for, or `refused` and why."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{token}\n")
        self.process.stdin.flush()
        said = self.process.stdout.readline().strip()
        assert said.startswith(("good ", "refused ")), said or "the verifier ended"
        return said


@contextmanager
def stock_verifier(library: str, folder: Path, issuer: str, audience: str) -> Iterator[StockVerifier]:
    """The verifier with a library, until the block ends; skipped with the reason where it cannot be had."""
    environment = without_trust() | {"ISSUER": issuer, "AUDIENCE": audience, "NO_PROXY": "*", "no_proxy": "*"}
    with subprocess.Popen(
        command(library, folder), env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield StockVerifier(process)
        finally:
            # Before it closes the other end: what was not written yet has nobody to read it.
            with contextlib.suppress(BrokenPipeError):
                process.communicate(timeout=_ENDING_SECONDS)


def command(library: str, folder: Path) -> Sequence[str]:
    """What runs the page's program, which is written into the folder, and compiled where that has to be."""
    match library:
        case "pyjwt" | "joserfc":
            return [sys.executable, str(written(f"verify_{library}.py", folder))]
        case "jose":
            require("node", "Node.js runs the example with jose")
            require((_NODE_PACKAGES / "jose").is_dir(), "`make test-clients` installs the JOSE library")
            (folder / "node_modules").symlink_to(_NODE_PACKAGES)
            return ["node", str(written("verify_jose.mjs", folder))]
        case "spring":
            return _java(written("SpringVerifier.java", folder), folder)
        case _:
            return _go(written("verify.go", folder), folder)


def written(name: str, folder: Path) -> Path:
    """The program of that name, as it stands on the page."""
    found = re.search(rf"(?ms)^```\w+\n(?:#|//) {re.escape(name)}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    assert found, f"{name} is not on the page"
    path = folder / name
    path.write_text(found[1], encoding="utf-8")
    return path


def _java(program: Path, folder: Path) -> Sequence[str]:
    for tool in ("java", "javac", "mvn"):
        require(tool, "Java and Maven run the example with Spring Security")
    class_path = folder / "class-path"
    with exclusive(_OURS / ".lock"):
        _fetch(["mvn", "--quiet", "--batch-mode", "--file", str(_OURS / "java/pom.xml"), _CLASS_PATH,
                f"-Dmdep.outputFile={class_path}"], "Could not transfer")  # fmt: skip
    libraries = f"{folder}:{class_path.read_text(encoding='utf-8')}"
    subprocess.run(["javac", "-d", str(folder), "-cp", libraries, str(program)], check=True)
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", libraries, "SpringVerifier"]


def _go(program: Path, folder: Path) -> Sequence[str]:
    require("go", "Go compiles the example with go-oidc")
    for name in ("go.mod", "go.sum"):
        (folder / name).write_bytes((_OURS / "go" / name).read_bytes())
    made = folder / "verify"
    with exclusive(_OURS / ".lock"):
        _fetch(
            ["go", "build", "-C", str(folder), "-mod=readonly", "-o", str(made), program.name],
            "dial tcp",
            "toolchain not available",
        )
    return [str(made)]


def _fetch(arguments: Sequence[str], *no_network: str) -> None:
    """Not a tool that is missing but a network: that is no failure, in CI either."""
    run = subprocess.run(arguments, capture_output=True, text=True, timeout=_FETCHING_SECONDS, check=False)
    if run.returncode != 0:
        said = run.stdout + run.stderr
        assert any(each in said for each in no_network), said
        pytest.skip(f"{arguments[0]} cannot reach its registry, and the library was never fetched")
