"""A resource server: lists chat threads to whoever has a valid access token with a scope that allows it.

Takes from the environment: WATCHWORD_ENDPOINT, WATCHWORD_VERIFIER (wwv_...), TLS_CERT, TLS_KEY, PORT.
"""

import json
import os
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from watchword.client import InsufficientScope, InvalidToken, TokenVerifier, VerifierCredential, require_scope

env = os.environ
verifier = TokenVerifier(env["WATCHWORD_ENDPOINT"], VerifierCredential(env["WATCHWORD_VERIFIER"]))


class Chat(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            token = verifier.verify(self.headers.get("Authorization", "").removeprefix("Bearer "))
            require_scope(token, "Chat_ListChatThreads")
            self.answer(200, {"value": []})
        except InvalidToken as error:
            self.answer(401, {"error": {"code": "Unauthorized", "message": str(error)}})
        except InsufficientScope as error:
            self.answer(403, {"error": {"code": "Forbidden", "message": str(error)}})

    def answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())


server = ThreadingHTTPServer(("127.0.0.1", int(env["PORT"])), Chat)
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(env["TLS_CERT"], env["TLS_KEY"])
server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(f"listening on https://localhost:{server.server_port}", flush=True)
server.serve_forever()
