"""The service that the example talks to: the one that the environment names, else a `watchword dev` of this machine."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "COMMUNICATION_SERVICES_CONNECTION_STRING"
WATCHWORD = str(Path(sys.executable).with_name("watchword"))


@contextmanager
def connection_string() -> Iterator[str]:
    """From here on its certificate is trusted as well. A service that was started for the example ends with it."""
    if os.environ.get(VARIABLE) or adopt():
        yield os.environ[VARIABLE]
        return
    command = [WATCHWORD, "dev", "--port", "0", "--no-request-log"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as dev:
        try:
            port = _port_of(dev)
            if not adopt("--port", port):
                raise SystemExit("The service did not start; why, it says above.")
            print(f"started a watchword dev on port {port}, which forgets everything when it ends", file=sys.stderr)
            yield os.environ[VARIABLE]
        finally:
            dev.terminate()


def adopt(*which: str) -> bool:
    """Take over what `watchword env` says of the one service that runs here, if there is one."""
    command = [WATCHWORD, "env", "--shell", "sh", *which]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    for line in said.stdout.splitlines():
        name, _, value = shlex.split(line)[-1].partition("=")
        os.environ[name] = value
    return said.returncode == 0


def _port_of(dev: "subprocess.Popen[str]") -> str:
    for line in dev.stdout or ():
        if found := re.search(r"endpoint +https://localhost:(\d+)", line):
            return found[1]
    return ""
