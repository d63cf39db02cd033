"""What `doctor` finds out about realtime: whether a proxy in front lets WebSockets through."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from watchword.cli.findings import Finding, ok, problem, warning
from watchword.server.folders import Folders
from watchword.server.running import running_servers
from watchword.settings import Settings

_ABOUT = "realtime"
_TIMEOUT_SECONDS = 5.0
_TARGET = "/socket.io/1/websocket/doctor"
_OFFER = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "ZG9jdG9yIGxvb2tzIGluIQ==",
}
_REFUSED, _OFFER_LOST = 401, 426


def check_realtime(settings: Settings, folders: Folders) -> Iterator[Finding]:
    """Asks at the public endpoint, where there is one and a server runs here."""
    if not settings.public_endpoint:
        yield ok(_ABOUT, "No public endpoint is set: no proxy is known that WebSockets have to go through.")
    elif not any(server.port == settings.port for server in running_servers(folders.running)):
        yield ok(_ABOUT, f"No server runs here on port {settings.port} that could be asked through its proxy.")
    else:
        yield check_way(settings.public_endpoint)


def check_way(endpoint: str) -> Finding:
    """Whether an offer of a WebSocket gets to the server: it refuses this one, and in other words if it sees none."""
    try:
        status = _ask(endpoint)
    except (OSError, http.client.HTTPException) as error:
        return warning(
            _ABOUT,
            f"{endpoint} could not be asked for a WebSocket: {error}.",
            "If clients reach it from elsewhere, run this where they are, or look at the proxy's own log.",
        )
    if status == _REFUSED:
        return ok(_ABOUT, f"WebSockets get through to the server by {endpoint}.")
    if status == _OFFER_LOST:
        return problem(
            _ABOUT,
            f"What stands behind {endpoint} does not pass on offers of a WebSocket, so no client hears of its chats.",
            "Let it pass on the headers Upgrade and Connection: docs/howto/behind-a-proxy.md shows how.",
        )
    return warning(
        _ABOUT,
        f"{endpoint} answers an offer of a WebSocket with {status}, as no Watchword does.",
        "Look into the configuration of the proxy, and whether the public endpoint is that of this server.",
    )


def _ask(endpoint: str) -> int:
    address = urlsplit(endpoint)
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        # No secret is sent, and which certificate is shown is for another check.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection(address.netloc, timeout=_TIMEOUT_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(address.netloc, timeout=_TIMEOUT_SECONDS)
    try:
        connection.request("GET", _TARGET, headers=_OFFER)
        return connection.getresponse().status
    finally:
        connection.close()
