"""Starts moto's server, whose Cognito issues tokens to a user who shows a password."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.contenders import Contender
from benchmarks.peers.environments import PYTHON
from benchmarks.processes import answering_server
from benchmarks.workloads import Target, Workload
from tests.support.postgres_programs import free_port

_PASSWORD = "Only-4-the-benchmark"
_USERS = 20


@contextmanager
def moto_cognito(folder: Path, *, core: int) -> Iterator[Contender]:
    """The command `moto_server`, with a user pool of its own."""
    port = free_port()
    command = [str(PYTHON.with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
    with answering_server(command, port=port, path="/moto-api/", core=core, home=folder) as process:
        host = f"localhost:{port}"
        pool = _call(host, "CreateUserPool", PoolName="bench")["UserPool"]["Id"]
        flows = ["ALLOW_USER_PASSWORD_AUTH"]
        created = _call(host, "CreateUserPoolClient", UserPoolId=pool, ClientName="bench", ExplicitAuthFlows=flows)
        users = [f"user{number}" for number in range(_USERS)]
        for user in users:
            _call(host, "AdminCreateUser", UserPoolId=pool, Username=user)
            _call(host, "AdminSetUserPassword", UserPoolId=pool, Username=user, Password=_PASSWORD, Permanent=True)
        client = created["UserPoolClient"]["ClientId"]
        yield Contender(
            f"moto {_version()} Cognito RS256",
            "RS256",
            "none: all in memory",
            process,
            Target(host, client.encode("ascii"), users),
            folder,
            "storage, request signatures (none are checked); signs an ID token besides, and closes each connection",
        )


def _build(target: Target, numbers: range) -> list[bytes]:
    return [_request(target, target.identities[number]) for number in numbers[: len(target.identities)]]


def _request(target: Target, user: str) -> bytes:
    asked = {"USERNAME": user, "PASSWORD": _PASSWORD}
    body = json.dumps(
        {"AuthFlow": "USER_PASSWORD_AUTH", "ClientId": target.key.decode("ascii"), "AuthParameters": asked}
    )
    headers = {"Host": target.host, **_headers("InitiateAuth"), "Content-Length": str(len(body))}
    lines = ["POST / HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", body]).encode("ascii")


def _call(host: str, operation: str, **asked: Any) -> dict[str, Any]:
    connection = http.client.HTTPConnection(host.replace("localhost", "127.0.0.1"), timeout=30)
    connection.request("POST", "/", json.dumps(asked), _headers(operation))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"moto refused {operation}: {answer.status} {body!r}")
    found: dict[str, Any] = json.loads(body)
    return found


def _headers(operation: str) -> Mapping[str, str]:
    """The scope of the credential is how moto tells services apart; the signature is not looked at."""
    return {
        "Authorization": "AWS4-HMAC-SHA256 Credential=bench/20261121/us-east-1/cognito-idp/aws4_request, "
        "SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"AWSCognitoIdentityProviderService.{operation}",
    }


def _version() -> str:
    asked = [str(PYTHON), "-c", "import importlib.metadata; print(importlib.metadata.version('moto'))"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


PASSWORD_SIGN_IN = Workload("issue", _build, signature=True)
