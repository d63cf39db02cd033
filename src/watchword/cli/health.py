"""`watchword health`: is the server that runs here ready? For the health check of a container, and for scripts."""

from __future__ import annotations

import http.client
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watchword.cli.help_pages import Explained
from watchword.errors import OperatorError, reason_of

if TYPE_CHECKING:
    from watchword.server.running import RunningServer

_TIMEOUT_SECONDS = 5.0
_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  Compared with, never bound.


@click.command(cls=Explained)
@click.option("--port", type=int, help="Port of the server that is meant, where several run.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data directory of the server that is meant, where several run."
)
def health(port: int | None, data: Path | None) -> None:
    """See whether the server that runs here is ready.

    Prints `ready`, or what is wrong with exit status 1. It asks at the address that the server listens on, whatever
    proxy variables, certificates or public endpoint there are.
    """
    from watchword.server.folders import find_folders
    from watchword.server.running import find_one

    server = find_one(find_folders().running, port, data)
    try:
        status, text = _ask(server)
    except (OSError, http.client.HTTPException) as error:
        raise OperatorError(f"No answer from {server}: {reason_of(error)}.", "Its log says more.") from None
    if status != 200:
        raise OperatorError(f"{server} answers {status}: {text}.", "Its log says more.")
    print(text)


def _ask(server: RunningServer) -> tuple[int, str]:
    host = _WILDCARDS.get(server.host, server.host)
    connection: http.client.HTTPConnection
    if server.tls:
        # No secret is sent, and which certificate is shown is not asked here: nothing would be gained by trust.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, server.port, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, server.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status, answer.read(4096).decode(errors="replace").strip()
    finally:
        connection.close()
