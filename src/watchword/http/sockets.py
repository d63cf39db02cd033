"""OnOpen sockets: opened here, or by whoever started us."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from watchword.errors import OperatorError

BACKLOG = 1_024
_MOST_UNSENT_BYTES = 131_072
_TRIES_FOR_A_SHARED_PORT = 20


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """One listening socket for each address, all on one port; 0 finds a port that is free on all of them.

    An IPv6 address is left out where the machine has no IPv6.

    Raises:
        OperatorError: the port is taken, or an address is not this machine's.
    """
    for _ in range(_TRIES_FOR_A_SHARED_PORT if port == 0 else 1):
        sockets: list[socket.socket] = []
        chosen = port
        try:
            for host in hosts:
                family = socket.AF_INET6 if ":" in host else socket.AF_INET
                if family == socket.AF_INET6 and not _has_ipv6():
                    continue
                sockets.append(_listen(family, host, chosen))
                chosen = chosen or sockets[0].getsockname()[1]
            return sockets
        except OSError as error:
            for opened in sockets:
                opened.close()
            failure = error
    raise OperatorError(
        f"Port {port} of {host} cannot be listened on: {failure.strerror}.",
        "Stop what uses it, or choose another --port (0 picks a free one); --host takes this machine's own addresses.",
    )


def adopt(descriptor: int) -> socket.socket:
    """A listening socket that another process has bound for us."""
    found = socket.socket(fileno=descriptor)
    found.setblocking(False)
    if found.family not in (socket.AF_INET, socket.AF_INET6):
        return found
    # Not every system can say that it is TCP, see `_listen`.
    return socket.socket(found.family, found.type, socket.IPPROTO_TCP, fileno=found.detach())


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # The protocol must be named: asyncio sets TCP_NODELAY only where it sees TCP, and without it an answer waits 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            # Its connections inherit it. Else the system takes megabytes for a client that reads nothing, and for one
            # that reads slowly lets nobody see for long that it does.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _MOST_UNSENT_BYTES)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True
