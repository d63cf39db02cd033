"""What a server says when it starts: what is in force, and the line to copy next.

Watchword 0.5.0 (dev): everybody knows its access keys, so it listens on this machine only.

  endpoint           https://localhost:8443
  resource           dev (dededede-dede-4ede-8ede-dededededede)
  database           /tmp/watchword-dev-k2l9/watchword.sqlite (removed when the server stops)
  certificate        localhost, 127.0.0.1, ::1; until 2027-12-22; signed by /home/ada/.../ca.pem
  connection string  endpoint=https://localhost:8443/;accesskey=...

Next, in the shell of your program:  eval "$(watchword env)"
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from watchword.keyring.signing_keys import AT_ONCE
from watchword.resources.access_keys import AccessKey
from watchword.server import development
from watchword.server.certificate import ServerCertificate
from watchword.server.shells import Shell, guess_shell
from watchword.settings import Settings
from watchword.wire.connection_string import ConnectionString

_EVALUATE = {
    Shell.SH: 'eval "$({} env{})"',
    Shell.FISH: "{} env{} | source",
    Shell.POWERSHELL: "{} env{} | Out-String | Invoke-Expression",
}


@dataclass(frozen=True)
class InForce:
    """A server that starts has just made its resource and `operator` if `is_first_start`; `others` run already.
    Unless it `is_watched`, what it says may be kept in a log.

    `keys` are those of the oldest of its `resources`, whose own endpoint is `resource_endpoint`, if any. `schema` is
    what its operator has to know of the database's schema, or empty; `next_key` is the key that is to sign later, or
    empty.
    """

    mode: str
    endpoint: str
    keys: list[AccessKey]
    database: str
    is_temporary: bool
    certificate: ServerCertificate | None
    is_first_start: bool
    is_watched: bool
    others: int
    operator: str = ""
    resources: int = 1
    resource_endpoint: str = ""
    schema: str = ""
    operator_endpoint: str = ""
    next_key: str = ""
    settings: Settings = field(default_factory=Settings)


def format_start_up(server: InForce, port: int) -> str:
    """The text for standard output. Private keys are in it only at the very first start, and only on a terminal."""
    facts = [*_facts(server), *_secrets(server)]
    width = max(len(name) for name, _ in facts)
    lines = "\n".join(f"  {name:<{width}}  {value}" for name, value in facts)
    purpose = "everybody knows its access keys, so it listens on this machine only" if server.mode == "dev" else ""
    title = f"Watchword {version('watchword')} ({server.mode})" + (f": {purpose}." if purpose else "")
    coming = f"\n\n{AT_ONCE}" if server.next_key else ""
    return f"{title}\n\n{lines}{coming}\n\nNext, in the shell of your program:  {_line_to_copy(server, port)}\n"


def _facts(server: InForce) -> Iterator[tuple[str, str]]:
    yield "endpoint", server.endpoint
    if server.operator_endpoint:
        yield "operators", f"{server.operator_endpoint} (metrics and the management API, which are nowhere else)"
    yield "resource", _resource(server)
    yield "database", f"{server.database}{' (removed when the server stops)' if server.is_temporary else ''}"
    if server.schema:
        yield "schema", server.schema
    if server.next_key:
        yield "next signing key", server.next_key
    yield "certificate", str(server.certificate or "none: no TLS, which is for a proxy in front that has it")


def _secrets(server: InForce) -> Iterator[tuple[str, str]]:
    if not server.keys:
        return
    primary, secondary = server.keys
    is_public = primary.secret == development.PRIMARY_KEY
    if server.is_first_start and not (is_public or server.is_watched):
        # A container's log, a journal and a file outlive the start, and are read by more people than may have the keys.
        settings = server.settings
        data = {"data": settings.data.absolute() if settings.data else ""}
        keys = data | {"encryption-key-file": settings.encryption_key_file or ""}
        suffix = {"resource-suffix": settings.resource_suffix}
        yield "access keys", f"not shown, since this is no terminal: {_command('resource keys', keys)} shows them"
        yield "connection string", f"{_command('resource connection-string', keys | suffix)} shows it"
        yield "operator token", f"{_command('operator create --name NAME', data)} makes one"
        return
    if server.is_first_start and not is_public:
        yield "primary key", b64encode(primary.secret).decode()
        yield "secondary key", f"{b64encode(secondary.secret).decode()} (`watchword resource keys` shows both again)"
    if server.operator:
        yield "operator token", f"{server.operator}{'' if is_public else ' (not shown again)'}"
    if server.is_first_start or is_public:
        yield "connection string", str(ConnectionString(server.resource_endpoint or server.endpoint, primary.secret))


def _command(words: str, flags: Mapping[str, Path | str]) -> str:
    """The command has the flags with a value; where the environment gives it them, they say the same."""
    given = "".join(f" --{name} {shlex.quote(str(value))}" for name, value in flags.items() if value)
    return f"`{_own_name()} {words}{given}`"


def _resource(server: InForce) -> str:
    if not server.keys:
        return "none: `watchword resource create` makes one"
    oldest = server.keys[0].resource
    more = f" and {server.resources - 1} more" if server.resources > 1 else ""
    return f"{oldest.name} ({oldest.id}){more}"


def _line_to_copy(server: InForce, port: int) -> str:
    which = f" --port {port}" if server.others else ""
    return _EVALUATE[guess_shell(os.environ, sys.platform)].format(_own_name(), which)


def _own_name() -> str:
    """How this very program is called from here: by name where the path finds it, else by its file."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{sys.executable} -m watchword"
    found = shutil.which("watchword")
    if found and Path(found).resolve() == called.resolve():
        return "watchword"
    return str(called)
