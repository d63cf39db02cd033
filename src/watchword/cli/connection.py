"""Says to which service a command speaks, and how its certificate is trusted.

In this order: the flag, the file (or standard input), the environment, the one server that runs for this user.
"""

from __future__ import annotations

import codecs
import os
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from watchword.errors import OperatorError
from watchword.server.folders import Folders, find_folders
from watchword.wire.connection_string import parse_connection_string

if TYPE_CHECKING:
    from watchword.client import IdentityClient

VARIABLES = ("COMMUNICATION_SERVICES_CONNECTION_STRING", "AZURE_COMMUNICATION_CONNECTION_STRING")
_MARK = "\ufeff"
"""The byte order mark, which editors on Windows put before a text."""

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

_STRING = click.option(
    "--connection-string", help=f"Endpoint and access key of the service; else {VARIABLES[0]} or {VARIABLES[1]} counts."
)
_FILE = click.option("--connection-string-file", help="File that holds the connection string; - is standard input.")
_PORT = click.option("--port", type=int, help="Port of the server that is meant, where several run.")
_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data directory of the server that is meant, where several run.",
)


def connection_options(command: Callable[..., None]) -> Callable[..., None]:
    """`--connection-string`, `--connection-string-file`, `--port` and `--data`.

    The choice that the latter two make is kept in the command's context, where `find_given` looks.
    """

    def chosen(*arguments: Any, port: int | None, data: Path | None, **values: Any) -> None:
        context = click.get_current_context()
        context.meta[_CHOICE] = Choice(port, data)
        command(*arguments, **values)

    return _STRING(_FILE(_PORT(_DATA(update_wrapper(chosen, command)))))


@dataclass(frozen=True)
class Choice:
    """Which of the servers that run here is meant, by flag."""

    port: int | None = None
    data: Path | None = None

    @property
    def is_made(self) -> bool:
        return self != Choice()


_CHOICE = "watchword.choice"
_DENIED = 401


def _choice() -> Choice:
    context = click.get_current_context(silent=True)
    found = context.meta.get(_CHOICE) if context else None
    return found if isinstance(found, Choice) else Choice()


@dataclass(frozen=True)
class Connection:
    """`origin` says where the connection string was found, for people."""

    text: str = field(repr=False)
    origin: str


def find_given(text: str | None, file: str | None, environment: Mapping[str, str]) -> Connection | None:
    """The connection string by flag, file or environment, or of the server that is chosen; None where there is none.

    Raises:
        OperatorError: the file cannot be read, or no such server runs.
    """
    if (choice := _choice()).is_made:
        if text or file:
            raise click.UsageError("Name a server with --port or --data, or give a connection string, not both.")
        return find_running(find_folders(), choice)
    if text:
        return Connection(text, "--connection-string")
    if file:
        return Connection(read_secret(file), "standard input" if file == "-" else file)
    for name in VARIABLES:
        if value := environment.get(name):
            return Connection(value, f"the variable {name}")
    return None


def find_running(folders: Folders, choice: Choice) -> Connection:
    """The connection string of the one server that runs, or that was chosen.

    Raises:
        OperatorError: none or several run, or its data directory cannot be read.
    """
    from watchword.server.installation import read_access_keys
    from watchword.server.running import find_one
    from watchword.settings import load_settings
    from watchword.wire.connection_string import ConnectionString

    try:
        server = find_one(folders.running, choice.port, choice.data)
    except OperatorError as error:
        given = (
            "" if choice.is_made else f" Or give a connection string with --connection-string-file or {VARIABLES[0]}."
        )
        raise OperatorError(error.message, f"{error.remedy}{given}") from None
    primary, _ = read_access_keys(load_settings(), server.data)
    return Connection(str(ConnectionString(server.endpoint, primary.secret)), f"the server that runs here, {server}")


def trust_for(endpoint: str, folders: Folders) -> ssl.SSLContext | None:
    """What the machine trusts, and this user's local CA, where that may sign for the endpoint's host. Else None."""
    ca = folders.certificates / "ca.pem"
    if not ca.exists() or not _may_sign_for(ca, urlsplit(endpoint).hostname or ""):
        return None
    context = ssl.create_default_context()
    context.load_verify_locations(ca)
    return context


def _may_sign_for(ca: Path, host: str) -> bool:
    if host in _LOOPBACK_NAMES:
        return True
    from watchword.certificates import may_sign_for

    return may_sign_for(ca, host)


def find_connection(text: str | None, file: str | None) -> Connection:
    """The connection string by flag, file or environment, else the one of the server that runs.

    Raises:
        OperatorError: there is none, or it cannot be read.
    """
    return find_given(text, file, os.environ) or find_running(find_folders(), Choice())


@contextmanager
def connected(text: str | None, file: str | None) -> Iterator[IdentityClient]:
    """A client of the service that is meant; what goes wrong is told with where the address came from.

    Raises:
        OperatorError: no service, no answer, or a value that cannot be sent.
        ServiceError: the service said no.
    """
    with connected_to(find_connection(text, file)) as client:
        yield client


@contextmanager
def connected_to(connection: Connection) -> Iterator[IdentityClient]:
    """The same, of a connection that was found.

    Raises:
        OperatorError, ServiceError: as `connected`.
    """
    from watchword.client import IdentityClient, Retries, ServiceError, TransportError

    endpoint = parse_connection_string(connection.text).endpoint
    try:
        verify = trust_for(endpoint, find_folders())
        with IdentityClient.from_connection_string(connection.text, verify=verify, retries=Retries(count=1)) as client:
            yield client
    except ServiceError as error:
        if error.status != _DENIED:
            raise
        raise OperatorError(
            str(error),
            f"The connection string comes from {connection.origin}, and leads to {endpoint}. Is its access key one of"
            " this service?",
        ) from None
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
        text = sys.stdin.readline() if file == "-" else _decoded(Path(file).read_bytes())
    except UnicodeDecodeError:
        raise OperatorError(
            f"{'Standard input' if file == '-' else file} is not text in UTF-8.", "Save it as UTF-8."
        ) from None
    except OSError as error:
        raise OperatorError(
            f"{file} cannot be read: {error.strerror}.", "Name a file that this user may read."
        ) from None
    text = text.removeprefix(_MARK)
    if not text.strip():
        name = "Standard input" if file == "-" else file
        raise OperatorError(f"{name} is empty.", "It should hold the secret, and nothing else.")
    return text.strip()


def _decoded(content: bytes) -> str:
    """What a file says: PowerShell writes UTF-16, and others put a mark before UTF-8."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8")
