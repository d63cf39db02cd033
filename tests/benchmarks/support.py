"""One request on a connection of its own, to a contender that runs."""

from __future__ import annotations

import http.client
import os
import socket
from typing import Any

import jwt

from benchmarks.contenders import Contender
from benchmarks.workloads import Workload
from tests.support.signed import Reply

CORE = max(os.sched_getaffinity(0))


def ask(contender: Contender, workload: Workload, number: int = 0) -> Reply:
    """What it says to the workload's request with that number."""
    [request] = workload.requests(contender.target, 1, number)
    return send(contender.process.port, request)


def send(port: int, request: bytes) -> Reply:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


def proven_claims(contender: Contender, key_set: str, token: str, **checks: Any) -> dict[str, Any]:
    """What a token says once its signature fits one of the published keys."""
    asked = f"GET {key_set} HTTP/1.1\r\nHost: {contender.target.host}\r\n\r\n"
    keys = jwt.PyJWKSet.from_dict(send(contender.process.port, asked.encode("ascii")).json)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    found: dict[str, Any] = jwt.decode(token, key, [contender.algorithm], **checks)
    return found
