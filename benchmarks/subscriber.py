"""One subscribed verifier: says when it begins to refuse.

Run as `python -m benchmarks.subscriber ENDPOINT`. The first line of its input is a verifier credential, each further
one a token: it answers `accepted`, and later the instant of CLOCK_MONOTONIC, in nanoseconds, at which it refused.
"""

from __future__ import annotations

import sys
import time

from watchword.client import InvalidToken, TokenVerifier, VerifierCredential

_PAUSE_SECONDS = 0.005
"""Eight of them share a core with the client that measures: if they asked more often, it would wait for them."""


def main() -> None:
    credential = VerifierCredential(sys.stdin.readline().strip())
    with TokenVerifier(sys.argv[1], credential) as verifier:
        for line in sys.stdin:
            token = line.strip()
            verifier.verify(token)
            print("accepted", flush=True)
            print(_refused_at(verifier, token), flush=True)


def _refused_at(verifier: TokenVerifier, token: str) -> int:
    while True:
        try:
            verifier.verify(token)
        except InvalidToken as refused:
            if refused.check != "revoked":
                raise
            return time.monotonic_ns()
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
