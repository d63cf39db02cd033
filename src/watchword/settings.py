"""Every setting, once: name, type, default, unit and help.

A setting comes from the command line (`--data`), else from the environment (`WATCHWORD_DATA`), else from its default.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from watchword.errors import OperatorError

PREFIX = "WATCHWORD_"


def _setting(default: Any, text: str, unit: str = "") -> Any:
    return field(default=default, metadata={"help": text, "unit": unit})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration of a server."""

    data: Path | None = _setting(None, "Folder that holds the database and the key file.", "path")
    host: tuple[str, ...] = _setting(("127.0.0.1", "::1"), "Addresses to listen on, separated by commas.")
    port: int = _setting(8443, "Port to listen on; 0 picks a free one.")
    workers: int = _setting(1, "Processes that answer requests; with more than one, another one looks after them.")
    operator_host: tuple[str, ...] = _setting(
        ("127.0.0.1", "::1"), "Addresses of the operator's listener, separated by commas."
    )
    operator_port: int | None = _setting(
        None,
        "Port that alone answers metrics and the management API; 0 picks a free one. Unset: the one port answers all.",
    )
    tls: bool = _setting(True, "Whether to speak TLS; off only behind a proxy that does.")
    certificate: Path | None = _setting(
        None, "PEM file with the certificate chain to use instead of the local CA's.", "path"
    )
    certificate_key: Path | None = _setting(None, "PEM file with the private key of the certificate.", "path")
    tls_suffix: str = _setting("", "DNS suffix that the local CA may sign for, besides loopback names.")
    resource_suffix: str = _setting(
        "", "DNS suffix under which each resource has a host of its own, <name>.<suffix>; empty: all share every host."
    )
    public_endpoint: str = _setting(
        "", "The address under which clients reach the server, such as https://acs.example."
    )
    host_names: tuple[str, ...] = _setting(
        (),
        "Host names to answer to, separated by commas, besides localhost, addresses, the public endpoint and those "
        "under the suffixes. Unset: all names; of `dev --no-tls` none.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (), "Addresses or networks whose forwarding headers count, separated by commas."
    )
    cors_origins: tuple[str, ...] = _setting(
        (), "Origins of web pages that may call exchanges, the key set and the feed, such as https://app.example."
    )
    entra: bool = _setting(False, "Whether `watchword dev` runs an OpenID issuer of its own, for development.")
    entra_issuers: tuple[str, ...] = _setting(
        (), "OpenID issuers whose tokens are accepted, such as https://login.microsoftonline.com/<tenant>."
    )
    entra_tenants: tuple[str, ...] = _setting(
        (), "Tenants (tid) whose tokens are accepted, separated by commas; empty: every tenant of the issuers."
    )
    hsts: str = _setting("", "Value of Strict-Transport-Security; never sent for loopback names. Empty: not sent.")
    signing_algorithm: str = _setting("ES256", "Algorithm of access tokens: ES256, RS256 or EdDSA.")
    key_lifetime: float = _setting(7_776_000.0, "How long a signing key signs; 0 to rotate by hand only.", "seconds")
    key_publish_ahead: float = _setting(3_600.0, "How long a signing key is published before it signs.", "seconds")
    encryption_key: str = _setting("", "Base64 of 32 bytes that encrypt secrets at rest; else a key file is made.")
    encryption_key_next: str = _setting(
        "", "The encryption key to come, while `watchword keys rewrap` changes it; else <key file>.next is looked for."
    )
    encryption_key_file: Path | None = _setting(
        None, "File with the encryption key; by default encryption.key in the data folder.", "path"
    )
    start_anew: bool = _setting(
        False, "Whether to make a new database where a key file shows that there was one, which is gone."
    )
    resource_name: str = _setting("watchword", "Name of the resource that is made at first start.")
    data_location: str = _setting("unitedstates", "Data location of the resource that is made at first start.")
    database: str = _setting("", "postgresql:// address of the database; empty: SQLite in the data folder.")
    database_pool: int = _setting(10, "Connections to PostgreSQL at the most, of each worker.")
    database_batch: int = _setting(64, "Requests that share one statement at the most; 1 on sharded engines.")
    database_statement_cache: bool = _setting(True, "Whether to prepare statements; off behind PgBouncer.")
    database_timeout: float = _setting(5.0, "How long a statement may take, and the wait for a connection.", "seconds")
    synchronous: str = _setting(
        "FULL", "SQLite's synchronous level. Anything below FULL may lose what was acknowledged."
    )
    request_log: bool = _setting(True, "Whether to write one line for each request to standard error.")
    log_format: str = _setting(
        "auto", "Form of that line: json, text, or auto, which is text for `dev` on a terminal and else json."
    )
    rate_limits: tuple[str, ...] = _setting(
        (), "Most requests of a resource: azure, or limits such as issue=200/10s, separated by commas; empty: no limit."
    )
    traces: bool = _setting(False, "Whether to make OpenTelemetry traces; OTEL_* variables say where they go.")
    head_deadline: float = _setting(10.0, "How long the head of a request may take, and the TLS handshake.", "seconds")
    body_deadline: float = _setting(20.0, "How long the body of a request may take.", "seconds")
    answer_deadline: float = _setting(
        30.0, "How long a client may take nothing of its answers before its connection is cut off.", "seconds"
    )
    stop_deadline: float = _setting(10.0, "How long requests in flight may take to finish after a stop.", "seconds")


SECRET_SETTINGS = frozenset({"encryption_key", "encryption_key_next", "database"})
"""Never printed."""

_CHOICES = {
    "signing_algorithm": ("ES256", "RS256", "EdDSA"),
    "log_format": ("auto", "json", "text"),
    "synchronous": ("FULL", "EXTRA", "NORMAL", "OFF"),
}


def load_settings(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given.

    Raises:
        OperatorError: a value that cannot be read, or is none of the setting's choices.
    """
    environment = os.environ if environment is None else environment
    known = {item.name: item for item in fields(Settings)}
    values: dict[str, Any] = {}
    for name, item in known.items():
        text = environment.get(PREFIX + name.upper())
        if text is not None:
            values[name] = _read(name, str(item.type), text)
    values.update({name: value for name, value in flags.items() if value is not None})
    for name, choices in _CHOICES.items():
        if values.get(name, choices[0]) not in choices:
            raise OperatorError(f"{values[name]!r} is no {name}.", f"Choose one of: {', '.join(choices)}.")
    return Settings(**values)


def _read(name: str, kind: str, text: str) -> Any:
    variable = PREFIX + name.upper()
    try:
        match kind.removesuffix(" | None"):
            case "Path":
                return Path(text).expanduser()
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
            case "tuple[str, ...]":
                return tuple(part.strip() for part in text.split(",") if part.strip())
            case _:
                return text
    except (ValueError, KeyError):
        raise OperatorError(f"{variable}={text!r} cannot be read as {kind}.", f"Mend or unset {variable}.") from None
