"""What systemd hands to a service, and what it wants to hear of it; nothing of it is there without systemd.

Source: the manual pages sd_listen_fds(3) and sd_notify(3), which also say that the protocols are stable.

    LISTEN_PID, LISTEN_FDS    so many listening sockets are open from descriptor 3 on, if the process is meant
    NOTIFY_SOCKET             a datagram socket that is told how the service does
"""

from __future__ import annotations

import os
import socket
import time

from watchword.errors import OperatorError
from watchword.http.sockets import adopt

RELOADING = "RELOADING=1"

_FIRST_DESCRIPTOR = 3


def take_sockets() -> list[socket.socket]:
    """The sockets that this process was given to listen on; none where it has to open its own.

    Raises:
        OperatorError: one of them is none for HTTP.
    """
    meant, count = os.environ.pop("LISTEN_PID", ""), os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if meant != str(os.getpid()) or not count.isdecimal():
        return []
    sockets = [adopt(_FIRST_DESCRIPTOR + number) for number in range(int(count))]
    if not all(map(_listens_for_tcp, sockets)):
        for each in sockets:
            each.close()
        raise OperatorError(
            "A socket that systemd has opened is none that listens for TCP.",
            "Write ListenStream= with a port, or an address and a port, and Accept=no, into the socket unit.",
        )
    for each in sockets:
        each.set_inheritable(False)
    return sockets


def _listens_for_tcp(given: socket.socket) -> bool:
    is_listening = given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    return bool(is_listening) and given.family in (socket.AF_INET, socket.AF_INET6)


def notify(state: str) -> None:
    """Tell systemd; nobody else listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if state == RELOADING:
        state += f"\nMONOTONIC_USEC={time.monotonic_ns() // 1_000}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        # A leading @ stands for the NUL of an abstract name.
        sending.connect("\0" + address[1:] if address.startswith("@") else address)
        sending.sendall(state.encode())
