"""Where the peers are installed, by `make bench-peers`; what could not be installed is left out of a run, by name."""

from __future__ import annotations

import shutil

from benchmarks.processes import PROJECT

PYTHON = PROJECT / ".venv-bench" / "bin" / "python"
NODE_FOLDER = PROJECT / "benchmarks" / "peers" / "oidc-provider"


def python_is_ready() -> bool:
    return (PROJECT / ".venv-bench" / ".ready").exists()


def node_is_ready() -> bool:
    return shutil.which("node") is not None and (NODE_FOLDER / "node_modules" / ".ready").exists()
