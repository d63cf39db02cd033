"""What a program sees that is started from a real shell."""

import subprocess
from collections.abc import Mapping


def evaluate(command: list[str], current: Mapping[str, str]) -> dict[str, str]:
    result = subprocess.run([*command], env=dict(current), capture_output=True, check=True, timeout=60)
    assert result.stderr == b""
    pairs = (entry.decode().partition("=") for entry in result.stdout.rstrip(b"\0").split(b"\0"))
    return {name: value for name, _, value in pairs}
