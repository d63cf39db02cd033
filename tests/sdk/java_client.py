"""The official Java client: fetched by Maven the first time, and our programs compiled against it."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.support.requirements import require
from watchword.files import exclusive

_FOLDER = Path(__file__).with_name("java")
_POM = _FOLDER / "pom.xml"
_TARGET = _FOLDER / "target"
_CLASS_PATH, _CLASSES = _TARGET / "classpath.txt", _TARGET / "classes"

# By its full name: a short one would have to be looked up, and is told apart from a typing error only by the registry.
_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath"

# Short programs gain nothing from the second compiler, and one thread for garbage is enough.
_QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


def java_command(program: str, *arguments: str) -> Sequence[str]:
    """How the program of that class is started; skips with the reason where Maven cannot fetch the client."""
    for tool in ("java", "javac", "mvn"):
        require(tool, "Java and Maven run the official Java client")
    # The tests run in several processes, and one of them fetches and compiles.
    with exclusive(_FOLDER / ".lock"):
        found = _class_path()
        if found is None:
            # Not a tool that is missing but a network: that is no failure, in CI either.
            pytest.skip("Maven cannot reach its registry, and the official Java client was never fetched")
        _compile(found)
    return ["java", *_QUICK, "-cp", f"{_CLASSES}:{found}", program, *arguments]


@cache
def _class_path() -> str | None:
    if not _is_newer(_CLASS_PATH, _POM) or not _all_there(_CLASS_PATH.read_text()):
        output = f"-Dmdep.outputFile={_CLASS_PATH}"
        command = ["mvn", "--quiet", "--batch-mode", "--file", str(_POM), _GOAL, output]
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if fetched.returncode != 0:
            assert "Could not transfer" in fetched.stdout, fetched.stdout
            return None
    return _CLASS_PATH.read_text()


@cache
def _compile(class_path: str) -> None:
    programs = sorted(_FOLDER.glob("*.java"))
    if not all(_is_newer(_CLASSES / f"{each.stem}.class", each) for each in programs):
        shutil.rmtree(_CLASSES, ignore_errors=True)
        subprocess.run(["javac", "-d", str(_CLASSES), "-cp", class_path, *map(str, programs)], timeout=300, check=True)


def _is_newer(made: Path, source: Path) -> bool:
    return made.is_file() and made.stat().st_mtime > source.stat().st_mtime


def _all_there(class_path: str) -> bool:
    return all(Path(each).is_file() for each in class_path.split(":"))
