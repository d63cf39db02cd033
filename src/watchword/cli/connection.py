"""To which service a command speaks, and how its certificate is trusted.

In this order: the flag, the file (or standard input), the environment, the one server that runs for this user.
"""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from watchword.errors import OperatorError
from watchword.server.folders import Folders, find_folders
from watchword.wire.connection_string import parse_connection_string

if TYPE_CHECKING:
    from watchword.client import IdentityClient

VARIABLES = ("COMMUNICATION_SERVICES_CONNECTION_STRING", "AZURE_COMMUNICATION_CONNECTION_STRING")
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

_STRING = click.option(
    "--connection-string", help=f"Endpoint and access key of the service; else {VARIABLES[0]} or {VARIABLES[1]} counts."
)
_FILE = click.option("--connection-string-file", help="File that holds the connection string; - is standard input.")


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--connection-string` and `--connection-string-file`, for what `connected` takes."""
    return _STRING(_FILE(command))


@dataclass(frozen=True)
class Connection:
    """`origin` says where the connection string was found, for people."""

    text: str = field(repr=False)
    origin: str


def find_given(text: str | None, file: str | None, environment: Mapping[str, str]) -> Connection | None:
    """The connection string by flag, file or environment; None where there is none.

    Raises:
        OperatorError: the file cannot be read.
    """
    if text:
        return Connection(text, "--connection-string")
    if file:
        return Connection(read_secret(file), "standard input" if file == "-" else file)
    for name in VARIABLES:
        if value := environment.get(name):
            return Connection(value, f"the variable {name}")
    return None


def find_running(folders: Folders) -> Connection:
    """The connection string of the one server that runs.

    Raises:
        OperatorError: none or several run, or its data directory cannot be read.
    """
    from watchword.server.installation import read_access_keys
    from watchword.server.running import find_one
    from watchword.settings import load_settings
    from watchword.wire.connection_string import ConnectionString

    try:
        server = find_one(folders.running)
    except OperatorError as error:
        raise OperatorError(
            f"There is no connection string. {error.message}",
            f"Give one with --connection-string or {VARIABLES[1]}, or let exactly one `watchword dev` run.",
        ) from None
    primary, _ = read_access_keys(load_settings(), server.data)
    return Connection(str(ConnectionString(server.endpoint, primary.secret)), f"the server that runs here, {server}")


def trust_for(endpoint: str, folders: Folders) -> ssl.SSLContext | None:
    """For a service on this very machine: what the machine trusts, and this user's local CA. Else None."""
    ca = folders.certificates / "ca.pem"
    if urlsplit(endpoint).hostname not in _LOOPBACK_NAMES or not ca.exists():
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(ca)
    return context


def find_connection(text: str | None, file: str | None) -> Connection:
    """The connection string by flag, file or environment, else the one of the server that runs.

    Raises:
        OperatorError: there is none, or it cannot be read.
    """
    return find_given(text, file, os.environ) or find_running(find_folders())


@contextmanager
def connected(text: str | None, file: str | None) -> Iterator[IdentityClient]:
    """A client of the service that is meant; what goes wrong is told with where the address came from.

    Raises:
        OperatorError: no service, no answer, or a value that cannot be sent.
        ServiceError: the service said no.
    """
    from watchword.client import IdentityClient, Retries, TransportError

    connection = find_connection(text, file)
    endpoint = parse_connection_string(connection.text).endpoint
    try:
        verify = trust_for(endpoint, find_folders())
        with IdentityClient.from_connection_string(connection.text, verify=verify, retries=Retries(count=1)) as client:
            yield client
    except TransportError as error:
        raise OperatorError(
            str(error), f"The address comes from {connection.origin}. Is the service running, and is it this one?"
        ) from None
    except ValueError as error:
        raise OperatorError(f"The call was not sent: {error}.", "Correct the value, then try again.") from None


def read_secret(file: str) -> str:
    """The first line of a file, or of standard input where it is `-`.

    Raises:
        OperatorError: it cannot be read, or holds nothing.
    """
    try:
        text = sys.stdin.readline() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{file} cannot be read: {error}.", "Name a file that this user may read.") from None
    if not text.strip():
        name = "Standard input" if file == "-" else file
        raise OperatorError(f"{name} is empty.", "It should hold the secret, and nothing else.")
    return text.strip()
