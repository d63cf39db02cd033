"""`endpoint=https://contoso.communication.azure.com/;accesskey=<base64>`: where a resource is, and one of its keys.

Source: identity.md section 2.3. Reading is as lenient as the most lenient official client (any order, any case);
writing is as strict as the strictest (JavaScript wants `endpoint` first and no path, Java no other part).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from watchword.errors import InvalidConnectionString


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """`endpoint` without a trailing slash; `access_key` decoded."""

    endpoint: str
    access_key: bytes = field(repr=False)

    def __str__(self) -> str:
        return f"endpoint={self.endpoint}/;accesskey={base64.b64encode(self.access_key).decode('ascii')}"


def parse_connection_string(text: str) -> ConnectionString:
    """Read a connection string as Azure's clients do.

    Raises:
        InvalidConnectionString: a part is missing, the endpoint is no http(s) address, or the key is not base64.
    """
    parts: dict[str, str] = {}
    # A byte order mark stands before what some editors wrote into a file.
    for part in filter(None, text.removeprefix("\ufeff").strip().split(";")):
        name, _, value = part.partition("=")
        parts[name.strip().lower()] = value.strip()
    for name in ("endpoint", "accesskey"):
        if not parts.get(name):
            raise InvalidConnectionString(
                f"The connection string has no '{name}'; it should look like endpoint=https://...;accesskey=..."
            )
    return ConnectionString(parse_endpoint(parts["endpoint"]), decode_access_key(parts["accesskey"]))


def decode_access_key(text: str) -> bytes:
    """The bytes of a base64 access key.

    Raises:
        InvalidConnectionString: not base64, or empty.
    """
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise InvalidConnectionString("The access key is not base64.")
    return key


def parse_endpoint(text: str) -> str:
    """Scheme, host and port of a resource, without a trailing slash; https where no scheme is named.

    Raises:
        InvalidConnectionString: not an http(s) address, or more than one.
    """
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        address.port  # noqa: B018 - reading it is what refuses a port that is no number.
    except ValueError:
        address = urlsplit("")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise InvalidConnectionString("The endpoint is not an http or https address.")
    if address.path.strip("/") or address.query or address.fragment or "@" in address.netloc:
        raise InvalidConnectionString("The endpoint must be a scheme, a host and a port, without path or user.")
    return f"{address.scheme}://{address.netloc}"
