"""An OpenID provider on loopback, with keys of its own, that gives out whatever token a test wants."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.tokens import header_of, sign_anything
from watchword.testing import MovableClock
from watchword.tokens.issuer import SigningKey, new_signing_key
from watchword.tokens.jwks import KeySet

TENANT = "0a0a0a0a-0000-4000-8000-00000000000a"
OTHER_TENANT = "0b0b0b0b-0000-4000-8000-00000000000b"
USER = "11111111-1111-4111-8111-111111111111"
APPLICATION = "22222222-2222-4222-8222-222222222222"
PRINCIPAL = "33333333-3333-4333-8333-333333333333"

MANAGEMENT = "https://communication.azure.com/"
CLIENTS = "https://communication.azure.com/clients"
TEAMS = "https://auth.msft.communication.azure.com"

_KEY = SigningKey.of(rsa.generate_private_key(65_537, 2_048))


@dataclass
class Provider:
    """`documents` maps paths to what is answered there, or to None for a failure; `asked` counts the questions."""

    address: str
    clock: MovableClock
    key: SigningKey = _KEY
    documents: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.address}/v2.0"

    def publish(self, *keys: SigningKey) -> None:
        """These keys from now on, and a document that leads to them."""
        discovery = {"issuer": self.name, "jwks_uri": f"{self.address}/keys"}
        self.documents["/.well-known/openid-configuration"] = json.dumps(discovery).encode()
        self.documents["/keys"] = KeySet(key.verification_key() for key in keys).to_json()

    def fail(self) -> None:
        """From now on every question is answered with 500."""
        self.documents = dict.fromkeys(self.documents)

    def token(self, audience: str = MANAGEMENT, *, key: SigningKey | None = None, **claims: Any) -> str:
        """A token of a service principal, or what the claims make of it; a claim that is None is left out."""
        now = self.clock.micros() // 1_000_000
        said = {
            "iss": self.name,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": now + 3_600,
            "tid": TENANT,
            "oid": PRINCIPAL,
            "sub": PRINCIPAL,
            "appid": APPLICATION,
        } | claims
        signer = key or self.key
        kept = {name: value for name, value in said.items() if value is not None}
        return sign_anything(header_of(signer), kept, signer)

    def user_token(self, audience: str = CLIENTS, scp: str = "Chat VoIP", **claims: Any) -> str:
        """A token of a user who is at the application."""
        return self.token(audience, **({"oid": USER, "sub": "pairwise", "scp": scp} | claims))


@contextlib.contextmanager
def running_provider(clock: MovableClock) -> Iterator[Provider]:
    """On a free port, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            body = provider.documents.get(self.path)
            self.send_response(500 if body is None else 200)
            self.send_header("content-length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(f"http://127.0.0.1:{server.server_port}", clock)
    provider.publish(provider.key)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def another_key() -> SigningKey:
    return new_signing_key("ES256")
