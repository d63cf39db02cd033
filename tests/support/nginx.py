"""A real nginx in the foreground, with everything it writes in a folder of its own."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

_PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_DEADLINE_SECONDS = 20

# Without a master there is one process, which keeps the user that started it and ends at once.
_FRAME = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{
    access_log off;
    {places}
    {site}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def nginx(site: str, port: int, folder: Path) -> Iterator[None]:
    """Serves `site`, which stands where `server` blocks stand, and listens on the port until the block ends."""
    places = "\n    ".join(f"{place}_temp_path {folder}/{place};" for place in _PLACES)
    configuration = folder / "nginx.conf"
    configuration.write_text(_FRAME.format(folder=folder, places=places, site=site))
    errors = folder / "errors"
    command = ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
    with errors.open("wb") as written, subprocess.Popen(command, stderr=written) as process:
        try:
            _await(process, port, errors)
            yield
        finally:
            process.terminate()


def _await(process: subprocess.Popen[bytes], port: int, errors: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        assert process.poll() is None, errors.read_text()
        assert time.monotonic() < deadline, errors.read_text()
        time.sleep(0.02)
