"""What a program's environment needs so that its SDK finds our server and trusts it.

    COMMUNICATION_SERVICES_CONNECTION_STRING  AZURE_COMMUNICATION_CONNECTION_STRING
    REQUESTS_CA_BUNDLE    Python's requests: replaces its roots
    SSL_CERT_FILE         OpenSSL, so Python's ssl and aiohttp, also .NET and Go on Linux: replaces the system's file
    CURL_CA_BUNDLE        curl, and requests when it finds no variable of its own: only extended where it is set
    NODE_EXTRA_CA_CERTS   Node.js: added to its built-in roots
    JAVA_TOOL_OPTIONS     Java: its trust store replaces the built-in one
    NO_PROXY  no_proxy    only where a proxy is in force: no proxy can reach a server on this machine

What is in force already stays in force: our CA joins it in a new bundle. Whatever holds our CA is left as it is, so
that the second call says the same as the first.
"""

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from watchword.certificates.system_roots import read_system_roots
from watchword.certificates.trust_bundles import (
    JAVA_STORE_PASSWORD,
    read_bundle,
    read_java_store,
    write_bundle,
    write_java_store,
)
from watchword.cli.java_options import find_property, format_property, split_options, without_properties
from watchword.cli.proxy_variables import without_proxy
from watchword.errors import OperatorError, reason_of

_TRUST_STORE = "javax.net.ssl.trustStore"
_TRUST_STORE_PASSWORD = "javax.net.ssl.trustStorePassword"
_TRUST_STORE_TYPE = "javax.net.ssl.trustStoreType"


@dataclass(frozen=True)
class Environment:
    """`warnings` are sentences for people, on standard error."""

    variables: dict[str, str]
    warnings: tuple[str, ...]


def build_environment(
    connection_string: str, ca_path: Path | None, bundles: Path, *, current: Mapping[str, str]
) -> Environment:
    """The variables to set on top of `current`; without a CA (a server without TLS) none that are about trust.

    Raises:
        OperatorError: the CA's file cannot be read, or the folder for bundles cannot be written.
    """
    variables = {
        "COMMUNICATION_SERVICES_CONNECTION_STRING": connection_string,
        "AZURE_COMMUNICATION_CONNECTION_STRING": connection_string,
    } | without_proxy(current)
    if ca_path is None:
        return Environment(variables, ())
    trust = _Trust(ca_path, bundles, current)
    try:
        variables |= trust.variables()
    except OSError as error:
        raise OperatorError(
            message=f"The folder {bundles} cannot be written: {reason_of(error)}.",
            remedy="Make it writable for this user, or name another place in WATCHWORD_HOME.",
        ) from error
    return Environment(variables, tuple(dict.fromkeys(trust.warnings)))


@dataclass
class _Trust:
    ca_path: Path
    bundles: Path
    current: Mapping[str, str]
    warnings: list[str] = field(default_factory=list)

    def variables(self) -> dict[str, str]:
        variables = {
            # requests reads CURL_CA_BUNDLE when it finds no REQUESTS_CA_BUNDLE, so that is what was in force.
            "REQUESTS_CA_BUNDLE": self._extend(
                "REQUESTS_CA_BUNDLE", otherwise=lambda: self._read("CURL_CA_BUNDLE") or self._system_roots
            ),
            # OpenSSL reads SSL_CERT_DIR beside its file of roots; httpx no longer does once SSL_CERT_FILE is set.
            "SSL_CERT_FILE": self._extend(
                "SSL_CERT_FILE", otherwise=lambda: [*self._system_roots, *self._read_folders("SSL_CERT_DIR")]
            ),
        }
        if self.current.get("CURL_CA_BUNDLE"):
            variables["CURL_CA_BUNDLE"] = self._extend("CURL_CA_BUNDLE", otherwise=lambda: self._system_roots)
        # Node.js adds these to its own roots, so that our CA alone is enough where there was nothing.
        in_force = self._read("NODE_EXTRA_CA_CERTS")
        variables["NODE_EXTRA_CA_CERTS"] = (
            str(self.ca_path) if in_force is None else self._extend("NODE_EXTRA_CA_CERTS", otherwise=list)
        )
        java_options = self._extend_java(self.current.get("JAVA_TOOL_OPTIONS", ""))
        return variables | ({"JAVA_TOOL_OPTIONS": java_options} if java_options else {})

    @cached_property
    def _ca(self) -> list[bytes]:
        return read_bundle(self.ca_path)

    @cached_property
    def _system_roots(self) -> list[bytes]:
        try:
            return read_system_roots()
        except OperatorError as error:
            self.warnings.append(f"{error.message} Other https sites will not be trusted. {error.remedy}")
            return []

    def _extend(self, name: str, otherwise: Callable[[], list[bytes]]) -> str:
        """The variable's own value if that file holds our CA already, else a bundle of what it holds and our CA."""
        present = self._read(name)
        if present is None:
            present = otherwise()
        elif self._holds_ca(present) and Path(self.current[name]).is_file():
            return self.current[name]
        return str(write_bundle(self.bundles, [*present, *self._ca]))

    def _extend_java(self, text: str) -> str:
        if _TRUST_STORE in self.current.get("JDK_JAVA_OPTIONS", ""):
            self.warnings.append(
                "JDK_JAVA_OPTIONS names a trust store, which takes precedence: Java will not trust our CA. "
                "Move that option to JAVA_TOOL_OPTIONS, then run this command again."
            )
        try:
            options = split_options(text)
            present = self._read_java_store(options)
        except (OperatorError, ValueError) as error:
            reason = error.message if isinstance(error, OperatorError) else f"JAVA_TOOL_OPTIONS: {reason_of(error)}."
            self.warnings.append(f"{reason} It stays as it is, and Java will not trust our CA.")
            return text
        if present is not None and self._holds_ca(present):
            return text
        store = write_java_store(self.bundles, [*(self._system_roots if present is None else present), *self._ca])
        return " ".join(
            [
                *without_properties(options, (_TRUST_STORE, _TRUST_STORE_PASSWORD, _TRUST_STORE_TYPE)),
                format_property(_TRUST_STORE, str(store)),
                format_property(_TRUST_STORE_PASSWORD, JAVA_STORE_PASSWORD),
                format_property(_TRUST_STORE_TYPE, "PKCS12"),
            ]
        )

    def _read(self, name: str) -> list[bytes] | None:
        """The certificates that the variable names; None if it is unset, or useless and so not in force either."""
        value = self.current.get(name)
        if not value:
            return None
        try:
            return read_bundle(Path(value))
        except OperatorError as error:
            self.warnings.append(f"{name} is not extended but replaced: {error.message}")
            return None

    def _read_folders(self, name: str) -> list[bytes]:
        certificates = []
        for folder in filter(None, self.current.get(name, "").split(os.pathsep)):
            # A folder that is missing or empty is usual here, and harmless.
            with contextlib.suppress(OperatorError):
                certificates += read_bundle(Path(folder))
        return certificates

    def _read_java_store(self, options: list[str]) -> list[bytes] | None:
        path = find_property(options, _TRUST_STORE)
        return None if path is None else read_java_store(Path(path), find_property(options, _TRUST_STORE_PASSWORD))

    def _holds_ca(self, certificates: list[bytes]) -> bool:
        return set(self._ca) <= set(certificates)
