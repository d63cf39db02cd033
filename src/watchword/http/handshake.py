"""The handshake that makes a WebSocket of a connection (RFC 6455, section 4.2): what a client has to say, and hears."""

from __future__ import annotations

from datetime import timedelta

from websockets.datastructures import Headers as Fields
from websockets.exceptions import InvalidHeader, InvalidUpgrade
from websockets.http11 import Request
from websockets.server import ServerProtocol

from watchword.errors import InvalidHandshake, Unavailable, UpgradeRequired
from watchword.http.conversation import FAILURES
from watchword.http.exchange import Exchange, Headers

VERSION = "13"

_RETRY_AFTER = timedelta(seconds=1)

_READ = ("connection", "upgrade", "sec-websocket-key", "sec-websocket-version")
_TOLD = ("Upgrade", "Connection", "Sec-WebSocket-Accept")


def shake_hands(exchange: Exchange) -> Headers:
    """The headers of the answer 101.

    No extension is taken: compression of what others wrote costs memory for each socket.

    Raises:
        UpgradeRequired: the request offers no WebSocket, or one of another version.
        InvalidHandshake: it offers one, and is not as it has to be.
        Unavailable: the server is stopping.
    """
    sent = exchange.headers
    if exchange.method != "GET" or not exchange.is_modern:
        raise UpgradeRequired("only GET of HTTP/1.1 can ask for one")
    if sent.get("sec-websocket-version", VERSION) != VERSION:
        raise UpgradeRequired(f"Sec-WebSocket-Version must be {VERSION}")
    protocol = ServerProtocol(extensions=None, logger=FAILURES)
    response = protocol.accept(Request("/", Fields([(name, sent[name]) for name in _READ if name in sent])))
    match protocol.handshake_exc:
        case None:
            pass
        case InvalidUpgrade():
            raise UpgradeRequired("the headers Connection: Upgrade and Upgrade: websocket ask for one")
        case InvalidHeader(name=name):
            raise InvalidHandshake(f"{name} is missing, or is not as RFC 6455 says")
        case _:
            raise InvalidHandshake("a header cannot be read")
    if not exchange.connection.can_switch(exchange):
        raise InvalidHandshake("it has a body, or says that the connection ends")
    if exchange.connection.is_stopping:
        raise Unavailable(_RETRY_AFTER)
    return [(name.lower(), response.headers[name]) for name in _TOLD]
