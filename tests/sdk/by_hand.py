"""Requests that no official client sends, signed by hand."""

from collections.abc import Mapping
from email.utils import formatdate
from urllib.parse import urlencode, urlsplit

import httpx2

from watchword.testing import RunningServer
from watchword.wire.signature import signed_headers

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def call(
    server: RunningServer,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    signed_host: str | None = None,
) -> httpx2.Response:
    """The server's answer; `headers` come on top of the signed ones."""
    host = signed_host or urlsplit(server.endpoint).netloc
    signed = signed_headers(server.keys[0], method, target, host, formatdate(usegmt=True), body)
    with httpx2.Client(base_url=server.endpoint, verify=server.client_tls()) as client:
        return client.request(method, target, headers=signed | dict(headers or {}), content=body)


def is_active(server: RunningServer, token: str | None) -> bool:
    """Whether the server holds the token for valid at this moment."""
    assert token is not None
    answer = call(server, "POST", "/introspect", urlencode({"token": token}).encode(), _FORM)
    active: bool = answer.raise_for_status().json()["active"]
    return active
