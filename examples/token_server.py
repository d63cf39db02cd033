"""A token server: the trusted place that gives the users of your app access tokens, behind your own login.

    POST /token      -> 200 {"identity": "8:acs:...", "token": "...", "expiresOn": "..."}
    DELETE /token    -> 204; every token that the user was given is dead

It needs the bare install (`pip install watchword`) and the connection string in the environment.
"""

import json
import os
import sys
from collections.abc import Callable
from datetime import timedelta
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from watchword.client import IdentityClient, Scope, WatchwordError

Answer = tuple[int, dict[str, str] | None]

# Your app's own login stands here: a session store, or whatever your web framework says about the request.
SESSIONS = {"session-of-ada": "user-1815", "session-of-grace": "user-1906"}
client = IdentityClient.from_connection_string(os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"])


class TokenServer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.answer_user(self.issue)

    def do_DELETE(self) -> None:
        self.answer_user(self.revoke)

    def answer_user(self, answer: Callable[[str], Answer]) -> None:
        session = SimpleCookie(self.headers.get("Cookie")).get("session")
        user = SESSIONS.get(session.value) if session else None
        try:
            status, body = answer(user) if user else (401, {"error": "Log in first."})
        except WatchwordError as error:
            # The reason is for your log; your users can do nothing about it.
            print(f"no token for {user}: {error}", file=sys.stderr)
            status, body = 503, {"error": "Try again later."}
        content = json.dumps(body).encode() if body else b""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def issue(self, user: str) -> Answer:
        # The custom id is your own key of the user: the first call makes the identity, every later one finds it.
        identity, issued = client.create_user_and_token(
            [Scope.CHAT, Scope.VOIP_JOIN], custom_id=user, token_expires_in=timedelta(hours=1)
        )
        return 200, {"identity": identity.id, "token": issued.token, "expiresOn": issued.expires_on.isoformat()}

    def revoke(self, user: str) -> Answer:
        client.revoke_tokens(client.create_user(custom_id=user))
        return 204, None


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), TokenServer) as server:
        print(f"http://127.0.0.1:{server.server_port}/token", flush=True)
        server.serve_forever()
