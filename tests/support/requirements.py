"""What a test needs from the machine, and the one policy for when it is not there.

On a contributor's machine a missing tool skips the tests that need it, with the reason. In CI, under `REQUIRE_ALL=1`,
it fails them: a suite that skips what matters must not look green.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def require(need: str | bool, reason: str) -> None:
    """Go on only if `need` is there: the name of a command on the path, or a condition that was already looked at.

    Works inside a test, inside a fixture and at the top of a module.
    """
    there = shutil.which(need) is not None if isinstance(need, str) else need
    if not there:
        _miss(reason)


def shared(path: str) -> Path:
    """The file or folder at `path` in the shared folder of recordings, specifications and vectors.

    The folder is where WATCHWORD_SHARED points, else `../shared` beside the project.
    """
    folder = Path(os.environ.get("WATCHWORD_SHARED") or PROJECT.parent / "shared")
    found = folder / path
    require(found.exists(), f"{path} is not in the shared folder {folder}; WATCHWORD_SHARED says where it is")
    return found


def everything_is_required() -> bool:
    """Whether a missing tool fails instead of skipping."""
    return os.environ.get("REQUIRE_ALL", "") not in ("", "0")


def _miss(reason: str) -> NoReturn:
    if everything_is_required():
        pytest.fail(f"REQUIRE_ALL is set, and this machine lacks something: {reason}", pytrace=False)
    pytest.skip(reason, allow_module_level=True)
