"""What the service is told at its start."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """`access_key` is base64, as a connection string holds it."""

    database: Path
    resource: str
    access_key: str

    @property
    def key(self) -> bytes:
        return base64.b64decode(self.access_key)
