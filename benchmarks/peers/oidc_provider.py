"""Starts npm's oidc-provider, which issues JWT access tokens to a client that shows its secret."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.contenders import Contender
from benchmarks.peers.environments import NODE_FOLDER
from benchmarks.processes import announced_server
from benchmarks.workloads import Target, Workload

_WARM_UP_SECONDS = 12
"""Observed: after ten seconds of load Node.js has compiled all that it will, and answers twice as much as at first."""


@contextmanager
def oidc_provider(folder: Path, algorithm: str, *, core: int) -> Iterator[Contender]:
    """Everything in memory; an access token lives an hour and carries two scopes, as Watchword's do."""
    secret = secrets.token_urlsafe(32)
    command = ["node", str(NODE_FOLDER / "server.mjs"), algorithm, secret]
    environment = {"NODE_ENV": "production"}
    with announced_server(command, core=core, home=folder, ready="/jwks", environment=environment) as process:
        lock = json.loads((NODE_FOLDER / "package-lock.json").read_text("utf-8"))
        version = lock["packages"]["node_modules/oidc-provider"]["version"]
        yield Contender(
            f"oidc-provider {version} {algorithm}",
            algorithm,
            "none: all in memory",
            process,
            Target(f"localhost:{process.port}", secret.encode("ascii"), ()),
            folder,
            "storage, identities (one client asks for all), request signatures (a secret is compared), a request log",
            warm_up_seconds=_WARM_UP_SECONDS,
        )


def _build(target: Target, _numbers: range) -> list[bytes]:
    """One request, over and over: an answer differs from the next by its token's id."""
    credentials = base64.b64encode(b"bench:" + target.key).decode("ascii")
    body = urlencode({"grant_type": "client_credentials", "scope": "chat voip"})
    lines = [
        "POST /token HTTP/1.1",
        f"Host: {target.host}",
        f"Authorization: Basic {credentials}",
        "Accept: application/json",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    ]
    return ["\r\n".join([*lines, "", body]).encode("ascii")]


CLIENT_CREDENTIALS = Workload("issue", _build, signature=True)
