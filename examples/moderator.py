"""A moderator: a webhook that Watchword asks before what users say in chats is stored.

    POST /moderate    -> 200 {"action": "allow"}, or "change" with "content", or "refuse" with "reason"

It needs nothing but Python, and the secret that Watchword signs with, in the environment. Whatever it says has to come
within two seconds.
"""

import hashlib
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["WATCHWORD_MODERATION_SECRET"].encode()
MOST_SECONDS_OLD = 300

# Your own rules stand here: a list of words, a model, or somebody else's service.
REFUSED = re.compile(r"\bbuy now\b", re.IGNORECASE)
HIDDEN = re.compile(r"\b\d{4}(?: ?\d{4}){3}\b")


def judge(content: str) -> dict[str, str]:
    if REFUSED.search(content):
        return {"action": "refuse", "reason": "No advertisements, please."}
    if HIDDEN.search(content):
        return {"action": "change", "content": HIDDEN.sub("[card number]", content)}
    return {"action": "allow"}


def is_signed(header: str, body: bytes) -> bool:
    """Whether Watchword sent the body, and a moment ago: an old question could be sent again by somebody else."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    seconds = parts.get("t", "")
    if not seconds.isdecimal() or abs(time.time() - int(seconds)) > MOST_SECONDS_OLD:
        return False
    proof = hmac.new(SECRET, seconds.encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(proof, parts.get("v1", ""))


class Moderator(BaseHTTPRequestHandler):
    # Connections are kept, which spares each question a handshake.
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if is_signed(self.headers.get("Watchword-Signature", ""), body):
            self.answer(200, judge(json.loads(body)["content"]))
        else:
            self.answer(401, {"error": "The signature is not Watchword's."})

    def answer(self, status: int, answer: dict[str, str]) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8001"))), Moderator) as server:
        print(f"http://127.0.0.1:{server.server_port}/moderate", flush=True)
        server.serve_forever()
