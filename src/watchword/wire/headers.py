"""The headers of an answer. Observed: identity.md section 3.1.

Left out on purpose: `x-azure-ref` and `X-Cache`, which Azure's front door adds and nobody here could mean.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from watchword.identifiers import new_request_id

JSON = "application/json; charset=utf-8"
JSON_ERROR = "application/json"
"""Observed: errors come without a charset."""

REQUEST_CONTEXT = "appId="
CLIENT_REQUEST_ID = "x-ms-client-request-id"
SUPPORTED_VERSIONS = "api-supported-versions"

_ECHOED = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,127}", re.ASCII)


def correlation_vector() -> str:
    """A fresh `MS-CV`: base64 of 16 random bytes without padding, then `.0`. It names the request in our log too."""
    return base64.b64encode(new_request_id())[:22].decode("ascii") + ".0"


def echoed_request_id(sent: str | None) -> str | None:
    """The client's request id where it is fit for a header and a log: printable, up to 128 characters."""
    return sent if sent is not None and _ECHOED.fullmatch(sent) else None


def client_request_id(sent: Mapping[str, str]) -> str | None:
    """The request id that a client has put into its headers, where it is fit to be repeated."""
    return echoed_request_id(sent.get(CLIENT_REQUEST_ID))
