"""Programs for browsers: bundled by esbuild of what npm installed, and served to a real Chromium."""

from __future__ import annotations

import mimetypes
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.requirements import require

_PAGE = '<!doctype html><meta charset="utf-8"><title>{name}</title><link rel="icon" href="data:,">{more}'


def bundle(folder: Path, program: str, into: Path, options: Sequence[str] = ()) -> None:
    """Make `into/<name>.html` of a program in a folder of packages.

    Raises:
        AssertionError: it cannot be bundled.
    """
    require("node", "Node.js runs the bundler")
    require((folder / "node_modules" / ".ready").is_file(), f"`make test-browser` installs the packages of {folder}")
    into.mkdir(parents=True, exist_ok=True)
    name = Path(program).stem
    command = [
        str(folder / "node_modules/.bin/esbuild"), program, "--bundle", "--format=esm", "--log-level=warning",
        f"--outfile={into / name}.js", *options,
    ]  # fmt: skip
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    style = f'<link rel="stylesheet" href="{name}.css">' if (into / f"{name}.css").exists() else ""
    more = f'{style}<div id="root"></div><script type="module" src="{name}.js"></script>'
    (into / f"{name}.html").write_text(_PAGE.format(name=name, more=more), encoding="utf-8")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing of each request."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of the folder's files, with the slash."""
    mimetypes.add_type("text/javascript", ".js")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
