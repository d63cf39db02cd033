"""Every setting, once: name, type, default, unit and help.

A setting comes from the command line (`--data`), else from the environment (`WATCHWORD_DATA`), else from its default.
A variable that is empty counts as unset, since that is how compose files and unit files pass on what nobody set.
"""

from __future__ import annotations

import os
import re
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

    data: Path | None = _setting(None, "The data directory: it holds the database and the key file.", "path")
    host: tuple[str, ...] = _setting(("127.0.0.1", "::1"), "Addresses to listen on, separated by commas.")
    port: int = _setting(8443, "Port to listen on; 0 picks a free one.")
    workers: int = _setting(1, "Processes that answer requests; with more than one, another one looks after them.")
    operator_host: tuple[str, ...] = _setting(
        ("127.0.0.1", "::1"), "Addresses that --operator-port listens on, separated by commas."
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
    tls_names: tuple[str, ...] = _setting(
        (),
        "Names and addresses that the local CA's certificate holds for besides, separated by commas, such as "
        "acs.lab.internal,192.0.2.7.",
    )
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
        (),
        "Origins of web pages that may call exchanges, the key set and the feed, such as https://app.example; and then "
        "these alone may call chat, which all pages may else.",
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
    key_publish_ahead: float = _setting(
        90_000.0, "How long a signing key is published before it signs; with `dev` an hour.", "seconds"
    )
    issuer_and_audience: bool = _setting(
        True, "Whether access tokens name their issuer (iss) and audience (aud), as stock verifiers want them."
    )
    encryption_key: str = _setting("", "Base64 of 32 bytes that encrypt secrets at rest; else a key file is made.")
    encryption_key_next: str = _setting(
        "", "The encryption key to come, while `watchword keys rewrap` changes it; else <key file>.next is looked for."
    )
    encryption_key_file: Path | None = _setting(
        None, "File with the encryption key; by default encryption.key in the data directory.", "path"
    )
    start_anew: bool = _setting(
        False, "Whether to make a new database where a key file shows that there was one, which is gone."
    )
    resource_name: str = _setting("watchword", "Name of the resource that is made at first start.")
    data_location: str = _setting("unitedstates", "Data location of the resource that is made at first start.")
    database: str = _setting("", "postgresql:// address of the database; empty: SQLite in the data directory.")
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
    journal_kept: float = _setting(
        3_600.0, "How long the journal of what happened in chats is kept; at least 120.", "seconds"
    )
    rate_limits: tuple[str, ...] = _setting(
        (), "Most requests of a resource: azure, or limits such as issue=200/10s, separated by commas; empty: no limit."
    )
    traces: bool = _setting(False, "Whether to make OpenTelemetry traces; OTEL_* variables say where they go.")
    realtime_sockets_of_user: int = _setting(20, "Realtime clients of a user at the most, each with a socket.")
    realtime_sockets_of_resource: int = _setting(0, "Realtime sockets of a resource at the most; 0: no limit.")
    realtime_kept: float = _setting(
        600.0, "How long events are kept for a realtime client that is away; less than --journal-kept.", "seconds"
    )
    chat_participants: int = _setting(250, "Participants of a chat thread at the most.")
    chat_batch: int = _setting(200, "Participants in one call that creates a thread or adds to one, at the most.")
    chat_message_bytes: int = _setting(28_672, "Content of a chat message at the most, in UTF-8.", "bytes")
    chat_metadata_bytes: int = _setting(
        1_024, "Metadata of a chat thread, participant or message at the most: keys and values in UTF-8.", "bytes"
    )
    chat_receipt_participants: int = _setting(
        20, "In a chat thread with more participants than this, read receipts and typing are accepted, and dropped."
    )
    chat_threads_of_user: int = _setting(
        0, "Chat threads that a user may be in; who is in so many creates no more. 0: no quota."
    )
    chat_messages_of_thread: int = _setting(0, "Messages of a chat thread at the most; 0: no quota.")
    chat_bytes_of_thread: int = _setting(0, "Contents of a chat thread's messages at the most; 0: no quota.", "bytes")
    chat_retention_days: int = _setting(
        0,
        "Days after which every chat thread is deleted, counted from its creation, whatever its own policy; 0: never.",
        "days",
    )
    chat_reading_after_removal: bool = _setting(
        True, "Whether a user who was removed from a chat thread can still read what was sent before."
    )
    moderation_url: str = _setting(
        "",
        "Address of a webhook that allows, changes or refuses chat messages, edits and topics before they are stored, "
        "such as https://hooks.example/moderate; empty: none.",
    )
    moderation_secret: str = _setting(
        "", "Secret that signs what the moderation webhook is asked: 16 characters or more."
    )
    moderation_secret_file: Path | None = _setting(None, "File with that secret.", "path")
    moderation_on_failure: str = _setting(
        "refuse", "What is done where the moderation webhook gives no answer: refuse (with 503), or allow."
    )
    moderation_timeout: float = _setting(2.0, "How long the moderation webhook may take for an answer.", "seconds")
    outbound_networks: tuple[str, ...] = _setting(
        (),
        "Addresses and networks that are private or this machine's and may be called nevertheless, such as by "
        "--moderation-url, separated by commas; with `dev` this machine's own.",
    )
    head_deadline: float = _setting(10.0, "How long the head of a request may take, and the TLS handshake.", "seconds")
    body_deadline: float = _setting(20.0, "How long the body of a request may take.", "seconds")
    answer_deadline: float = _setting(
        30.0, "How long a client may take nothing of its answers before its connection is cut off.", "seconds"
    )
    keep_alive: float = _setting(75.0, "How long a connection may be idle between two requests.", "seconds")
    stop_deadline: float = _setting(10.0, "How long requests in flight may take to finish after a stop.", "seconds")
    drain_delay: float = _setting(
        0.0,
        "How long a server that was told to stop goes on as before, but for /readyz, which answers 503: so a balancer "
        "hears of it before anybody is refused.",
        "seconds",
    )


SECRET_SETTINGS = frozenset({"encryption_key", "encryption_key_next", "database", "moderation_secret"})
"""Never printed."""

_SERVICE_LINK = re.compile(
    r"(?P<service>WATCHWORD\w*?)(?P<rest>_SERVICE_HOST|_SERVICE_PORT\w*|_PORT|_PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"
)

CHOICES = {
    "signing_algorithm": ("ES256", "RS256", "EdDSA"),
    "log_format": ("auto", "json", "text"),
    "moderation_on_failure": ("refuse", "allow"),
    "synchronous": ("FULL", "EXTRA", "NORMAL", "OFF"),
}


_KINDS = {"int": "a whole number", "float": "a number of seconds", "bool": "true or false"}


def load_settings(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given.

    Raises:
        OperatorError: a value that cannot be read, or is none of the setting's choices.
    """
    environment = os.environ if environment is None else environment
    known = {item.name: item for item in fields(Settings)}
    values: dict[str, Any] = {}
    for name, item in known.items():
        variable = PREFIX + name.upper()
        if (text := environment.get(variable)) and not is_service_link(variable, environment):
            values[name] = _read(name, str(item.type), text)
    values.update({name: value for name, value in flags.items() if value is not None})
    for name, choices in CHOICES.items():
        if values.get(name, choices[0]) not in choices:
            words = name.replace("_", " ")
            raise OperatorError(
                f"{values[name]!r} is not a {words}.",
                f"Choose one of {', '.join(choices)}, in {PREFIX}{name.upper()} or --{words.replace(' ', '-')}.",
            )
    return Settings(**values)


def is_service_link(variable: str, environment: Mapping[str, str]) -> bool:
    """Whether Kubernetes has set the variable, in every pod of a namespace that has a Service of such a name,
    such as `watchword`:

        WATCHWORD_SERVICE_HOST=10.0.0.7      WATCHWORD_SERVICE_PORT=8443       WATCHWORD_SERVICE_PORT_HTTPS=8443
        WATCHWORD_PORT=tcp://10.0.0.7:8443   WATCHWORD_PORT_8443_TCP=tcp://...  WATCHWORD_PORT_8443_TCP_PROTO=tcp

    Source: https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
    """
    found = _SERVICE_LINK.fullmatch(variable)
    if found is None or f"{found['service']}_SERVICE_HOST" not in environment:
        return False
    # Of a Service that is called `watchword-operator` the variable of a setting; whoever set it meant a number.
    return found["rest"] != "_PORT" or "://" in environment.get(variable, "")


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
        meant = _KINDS.get(kind.removesuffix(" | None"), "a value")
        raise OperatorError(f"{variable}={text!r} is not {meant}.", f"Fix or unset {variable}.") from None
