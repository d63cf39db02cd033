"""The parameters of a PostgreSQL address that the driver does not know: libpq's, and those that hosting companies add.

    postgresql://user:password@host:5432/name?sslmode=require&channel_binding=prefer&connect_timeout=10

Each is obeyed, or refused in a sentence that says what to do; what asks for protection is never dropped in silence. All
others go to the driver, which hands those that it does not know either to the server as settings of the session.

Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import asyncpg

from watchword.errors import OperatorError

_NOTHING_TO_DO: Mapping[str, frozenset[str]] = {
    "channel_binding": frozenset({"disable", "prefer"}),
    "client_encoding": frozenset({"utf8", "utf-8", "auto"}),
    "gssdelegation": frozenset({"0"}),
    "gssencmode": frozenset({"disable", "prefer"}),
    "load_balance_hosts": frozenset({"disable"}),
    "pgbouncer": frozenset({"false"}),
    "replication": frozenset({"false", "off", "no", "0"}),
    "requiressl": frozenset({"0"}),
    "sslcertmode": frozenset({"allow"}),
    "sslcompression": frozenset({"0", "1"}),
    "sslsni": frozenset({"1"}),
    "target_session_attrs": frozenset({"any", "read-write", "primary"}),
}
"""Values that ask for what happens anyway; every other value of these is refused."""

_REMEDIES = {
    "channel_binding": "Remove it: the driver cannot bind channels. sslmode=verify-full with sslrootcert keeps others "
    "out of the connection as well.",
    "hostaddr": "Remove it, and write the address in the place of the host.",
    "pgbouncer": "Remove it, and set WATCHWORD_DATABASE_STATEMENT_CACHE=no behind PgBouncer.",
    "requiressl": "Write sslmode=require instead.",
    "target_session_attrs": "Remove it: Watchword takes the first server that takes writes.",
}
_REFUSED = frozenset({
    "hostaddr", "max_protocol_version", "min_protocol_version", "oauth_client_id", "oauth_client_secret",
    "oauth_issuer", "oauth_scope", "require_auth", "requirepeer", "scram_client_key", "scram_server_key",
    "servicefile", "sslcrldir", "sslkeylogfile",
})  # fmt: skip
_NUMBERS = (
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
_KEEPALIVE_OPTIONS = {
    "keepalives_idle": "TCP_KEEPIDLE",
    "keepalives_interval": "TCP_KEEPINTVL",
    "keepalives_count": "TCP_KEEPCNT",
    "tcp_user_timeout": "TCP_USER_TIMEOUT",
}


@dataclass(frozen=True)
class Address:
    """`dsn` is what the driver is given. `numbers` are libpq's, in its own units: seconds, and milliseconds for
    `tcp_user_timeout`. `is_pooled` says that a pooler hands out the server's sessions by transaction.
    """

    dsn: str = field(repr=False)
    application_name: str = "watchword"
    numbers: Mapping[str, int] = field(default_factory=dict)
    is_pooled: bool = False

    @property
    def connect_seconds(self) -> float | None:
        """Nothing and 0 are no limit of the operator's own, as libpq has it."""
        return float(self.numbers.get("connect_timeout", 0)) or None

    def set_up(self, connection: socket.socket) -> None:
        """Watch over a TCP connection as the parameters say; a local one needs it not."""
        if connection.family not in (socket.AF_INET, socket.AF_INET6):
            return
        if (keepalives := self.numbers.get("keepalives")) is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(bool(keepalives)))
        for name, option in _KEEPALIVE_OPTIONS.items():
            # Not every system has each, and 0 means the system's own.
            if (value := self.numbers.get(name)) and hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def read_address(dsn: str) -> Address:
    """The address without what is not the driver's.

    Raises:
        OperatorError: a parameter asks for what cannot be had.
    """
    base, found, query = dsn.partition("?")
    left, numbers, name, is_pooled = [], dict[str, int](), "watchword", False
    for part in query.split("&") if found else ():
        key, has_value, text = part.partition("=")
        key, value = unquote_plus(key), unquote_plus(text)
        if not has_value:
            left.append(part)
        elif key in _NUMBERS:
            numbers[key] = _number(key, value)
        elif key == "application_name":
            name = value
        elif key == "pgbouncer" and value.lower() == "true":
            is_pooled = True
        elif key in _REFUSED or value.lower() not in _NOTHING_TO_DO.get(key, {value.lower()}):
            raise _refused(key, value)
        elif key not in _NOTHING_TO_DO and key != "fallback_application_name":
            left.append(part)
    return Address(base + ("?" + "&".join(left) if left else ""), name, numbers, is_pooled)


def socket_of(connection: asyncpg.Connection[asyncpg.Record]) -> socket.socket:
    """The driver has no other way to it."""
    transport: asyncio.Transport = connection._transport  # type: ignore[attr-defined]  # noqa: SLF001
    found: socket.socket = transport.get_extra_info("socket")
    return found


def split_hosts(dsn: str) -> list[str]:
    """An address for each server of `postgresql://user:password@one:5432,two:5432/name?...`."""
    scheme, found, rest = dsn.partition("://")
    end = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
    user, at, hosts = rest[:end].rpartition("@")
    return [f"{scheme}{found}{user}{at}{host}{rest[end:]}" for host in hosts.split(",")]


def _number(key: str, value: str) -> int:
    try:
        return max(int(value), 0)
    except ValueError:
        raise OperatorError(
            f"The parameter {key} in WATCHWORD_DATABASE is no number.", "Write a whole number, or remove it."
        ) from None


def _refused(key: str, value: str) -> OperatorError:
    # A key of SCRAM, or a secret of OAuth, must not stand in a message; words do no harm.
    told = f"{key}={value}" if key in _NOTHING_TO_DO and value.replace("-", "").isalnum() else key
    return OperatorError(
        f"Watchword cannot do what {told} in WATCHWORD_DATABASE asks for.",
        _REMEDIES.get(key, f"Remove {key} from the address."),
    )
