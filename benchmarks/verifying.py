"""What verifying a token costs where it is done, beside the check of its signature alone.

Run as `python -m benchmarks.verifying`, on one core; prints one line of JSON: operations per second of CPU.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import cycle
from time import process_time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from benchmarks.machine import on_core
from watchword.client.revocation_set import RevocationSet
from watchword.clock import SystemClock, steady_seconds
from watchword.tokens import Claims, KeySet, Verifier
from watchword.tokens.issuer import SigningKey, new_signing_key, sign
from watchword.wire.verification import Revocation, RevocationPage

_MEASURED_SECONDS = 0.5
_TOKENS = 1_000
_REVOCATIONS = 10_000
_RESOURCE = "2dee53b4-368b-45b4-ab52-8493fb117652"


def measure(core: int) -> dict[str, float]:
    """Raw signature checks, and tokens verified for the first time and again, per second of CPU."""
    command = on_core(core, sys.executable, "-m", "benchmarks.verifying")
    found: dict[str, float] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found


def _main() -> dict[str, float]:
    key = new_signing_key("ES256")
    clock = SystemClock()
    tokens = [_token(key, clock.micros() + number, number) for number in range(_TOKENS)]
    revocations = RevocationSet(max_staleness=timedelta(hours=1))
    entries = [Revocation("token", f"{number:032x}") for number in range(_TOKENS, _TOKENS + _REVOCATIONS)]
    revocations.apply(RevocationPage(_RESOURCE, "0.1", entries, True, False), sent=steady_seconds())
    keys = KeySet([key.verification_key()])
    cold = Verifier(keys, revocations, clock, cache_size=0)
    cached = Verifier(keys, revocations, clock)
    for token in tokens:
        cached.verify(token)
    return {
        "signature": _signatures_per_second(),
        "cold": _per_second(cold.verify, tokens),
        "cached": _per_second(cached.verify, tokens),
    }


def _signatures_per_second() -> float:
    """Signs a message as long as a token's, by the library that verifies tokens too."""
    private, ecdsa, message = ec.generate_private_key(ec.SECP256R1()), ec.ECDSA(hashes.SHA256()), b"x" * 700
    signature, public = private.sign(message, ecdsa), private.public_key()
    return _per_second(lambda _: public.verify(signature, message, ecdsa), [""])


def _per_second(verify: Callable[[str], object], tokens: Sequence[str]) -> float:
    count, started, turns = 0, process_time(), cycle(tokens)
    while (elapsed := process_time() - started) < _MEASURED_SECONDS:
        for _ in range(100):
            verify(next(turns))
        count += 100
    return count / elapsed


def _token(key: SigningKey, micros: int, number: int) -> str:
    seconds = micros // 1_000_000
    claims = Claims(
        skypeid=f"acs:{_RESOURCE}_00000005-14a2-493b-8a72-5a3a0d{number:06x}",
        scp=1792,
        csi=str(seconds),
        exp=seconds + 3_600,
        rgn="amer",
        acsScope="chat,voip",
        resourceId=_RESOURCE,
        resourceLocation="unitedstates",
        iat=seconds,
        jti=f"{number:032x}",
        iatMicros=micros,
        gen=1,
        resourceGen=1,
        accessKey="00112233aabbccdd",
    )
    return sign(claims, key)


if __name__ == "__main__":
    print(json.dumps(_main()))
