"""What this machine can do at best: signatures, the check of a request's HMAC, a durable write.

Run as `python -m benchmarks.limits FOLDER`, on the core of the server; prints one line of JSON. `FOLDER` is on the disk
that holds the data.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from benchmarks.machine import on_core
from watchword.wire.signature import content_hash, signature

_MEASURED_SECONDS = 0.25
_MESSAGE = b"x" * 500


def measure(folder: Path, core: int) -> dict[str, float]:
    """Each limit by name: operations per second of CPU, and milliseconds for the durable write."""
    command = on_core(core, sys.executable, "-m", "benchmarks.limits", str(folder))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _openssl_rsa_signs_per_second() -> dict[str, float]:
    """`openssl speed rsa2048`, or nothing where there is no such command."""
    try:
        done = subprocess.run(
            ["openssl", "speed", "-mr", "-seconds", "1", "rsa2048"], capture_output=True, text=True, check=True
        )
    except (subprocess.CalledProcessError, FileNotFoundError):
        return {}
    # +F2:<index>:<bits>:<signatures per second>:<verifications per second>; OpenSSL 1 gave seconds instead.
    [line] = [line for line in done.stdout.splitlines() if line.startswith("+F2:")]
    figure = float(line.split(":")[3])
    return {"openssl rsa2048": figure if figure > 1 else 1 / figure}


def _per_second(operation: Callable[[], object]) -> float:
    count, started = 0, process_time()
    while (elapsed := process_time() - started) < _MEASURED_SECONDS:
        for _ in range(20):
            operation()
        count += 20
    return count / elapsed


def _durable_write_millis(folder: Path) -> float:
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        times = []
        for _ in range(50):
            file.write(bytes(4_096))
            file.flush()
            started = perf_counter()
            os.fdatasync(file.fileno())
            times.append(perf_counter() - started)
    return median(times) * 1_000


def _main(folder: Path) -> dict[str, float]:
    p256, ed = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
    rsa2048 = rsa.generate_private_key(65537, 2048)
    ecdsa, sha256, pkcs1 = ec.ECDSA(hashes.SHA256()), hashes.SHA256(), padding.PKCS1v15()
    values = ("Sat, 21 Nov 2026 01:14:27 GMT", "localhost:8443", content_hash(b""))

    def check_request() -> None:
        content_hash(b'{"scopes":["chat","voip"]}')
        signature(bytes(64), "POST", "/identities/8:acs:x/:issueAccessToken?api-version=2023-10-01", values=values)

    return {
        "ES256": _per_second(lambda: p256.sign(_MESSAGE, ecdsa)),
        "RS256": _per_second(lambda: rsa2048.sign(_MESSAGE, pkcs1, sha256)),
        "EdDSA": _per_second(lambda: ed.sign(_MESSAGE)),
        "HMAC": _per_second(check_request),
        "fdatasync_millis": _durable_write_millis(folder),
        **_openssl_rsa_signs_per_second(),
    }


if __name__ == "__main__":
    print(json.dumps(_main(Path(sys.argv[1]))))
