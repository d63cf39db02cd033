"""Bodies of operations for which hardly any that is generated leads to success."""

from __future__ import annotations

from typing import Any


def good_body(path: str, there: dict[str, str]) -> dict[str, Any] | None:
    """One that leads to success, by the path of its operation; `there` is what its thread has."""
    if path.endswith("/participants/:remove"):
        return {"user": there["user"]}
    bodies: dict[str, dict[str, Any]] = {
        "/trusted/imports/{importId}": {"topic": "t"},
        "/trusted/imports/{importId}/:records": {"after": 0, "records": []},
        "/trusted/imports/{importId}/:finish": {"participants": []},
    }
    return bodies.get(path)
