"""How long a revocation takes: until it is durable, and until every subscribed verifier refuses the token."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO
from urllib.parse import urlencode

from benchmarks.closed_loop import Load, closed_loop
from benchmarks.contenders import Contender
from benchmarks.machine import Cores, on_core
from benchmarks.plan import Plan
from benchmarks.workloads import ISSUE, REVOKE

VERIFIERS = 8

_INTROSPECTED = 500
_CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Revoked:
    """Milliseconds: from request to acknowledgement, and from acknowledgement to the refusal of each verifier."""

    durable: Sequence[float]
    refused: Sequence[float]
    refused_by_all: Sequence[float]


def revoke(contender: Contender, plan: Plan, cores: Cores) -> Revoked:
    """Identities one after another: a token of each is accepted by all verifiers, and then revoked."""
    count = 100 if plan.quick else 500
    durable: list[float] = []
    refused: list[float] = []
    refused_by_all: list[float] = []
    with ExitStack() as stack:
        stack.enter_context(_moved_to(cores.server, back_to=cores.generator))
        connection = stack.enter_context(_connected(contender))
        credential = create_credential(contender)
        verifiers = [stack.enter_context(_subscribed(contender, credential, cores)) for _ in range(VERIFIERS)]
        issues, revocations = (workload.requests(contender.target, count) for workload in (ISSUE, REVOKE))
        for issue_request, revoke_request in zip(issues, revocations, strict=True):
            token = json.loads(_exchange(connection, issue_request))["token"]
            for verifier in verifiers:
                verifier.show(token)
            sent = time.monotonic_ns()
            _exchange(connection, revoke_request)
            acknowledged = time.monotonic_ns()
            # Some refuse before the acknowledgement has come back: for them it took no time.
            delays = [max(verifier.refused_at() - acknowledged, 0) / 1e6 for verifier in verifiers]
            durable.append((acknowledged - sent) / 1e6)
            refused += delays
            refused_by_all.append(max(delays))
    return Revoked(durable, refused, refused_by_all)


def introspect(contender: Contender, plan: Plan, cores: Cores) -> list[Load]:
    """As fast as the server answers, by a verifier credential, in as many rounds as everything else."""
    credential = create_credential(contender)
    with _connected(contender) as connection:
        issues = ISSUE.requests(contender.target, min(_INTROSPECTED, plan.distinct_requests))
        tokens = [json.loads(_exchange(connection, request))["token"] for request in issues]
    requests = [_introspection(contender.target.host, credential, token) for token in tokens]
    return [
        closed_loop(contender.process, requests, connections=_CONNECTIONS, seconds=plan.seconds, core=cores.generator)
        for _ in range(plan.rounds)
    ]


def create_credential(contender: Contender) -> str:
    """The credential of a verifier, as an operator makes it."""
    command = [sys.executable, "-m", "watchword", "verifier", "create", "--data", str(contender.data)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


class _Subscriber:
    def __init__(self, into: IO[str], out: IO[str]) -> None:
        self._into = into
        self._out = out

    def show(self, token: str) -> None:
        """Returns when it was accepted."""
        self.tell(token)
        if self._out.readline() != "accepted\n":
            raise RuntimeError("a verifier did not accept a fresh token: run benchmarks.subscriber by hand to see why")

    def tell(self, line: str) -> None:
        self._into.write(f"{line}\n")
        self._into.flush()

    def refused_at(self) -> int:
        return int(self._out.readline())


@contextmanager
def _subscribed(contender: Contender, credential: str, cores: Cores) -> Iterator[_Subscriber]:
    endpoint = f"http://{contender.target.host}"
    command = on_core(cores.generator, sys.executable, "-m", "benchmarks.subscriber", endpoint)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        subscriber = _Subscriber(child.stdin, child.stdout)
        subscriber.tell(credential)
        try:
            yield subscriber
        finally:
            # Without further tokens it ends; after a failure it may wait for a refusal that never comes.
            child.terminate()


@contextmanager
def _moved_to(core: int, *, back_to: int) -> Iterator[None]:
    """The verifiers, which a revocation wakes all at once, fill the other core: who shared it would wait for them."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, {back_to})


@contextmanager
def _connected(contender: Contender) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", contender.process.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    body = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"a request failed: {answer.status} {body!r}")
    return body


def _introspection(host: str, credential: str, token: str) -> bytes:
    body = urlencode({"token": token})
    lines = [
        "POST /introspect HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {credential}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode("ascii")
