"""The well-known resource of `watchword dev`: in every installation the same, so that examples can be copied.

Everybody knows these keys; hence a service that has them listens on loopback only.
"""

from __future__ import annotations

from typing import Any

RESOURCE_ID = "dededede-dede-4ede-8ede-dededededede"
RESOURCE_NAME = "dev"

# 64 bytes each, as Azure's are. Whoever decodes one is told what it is worth.
PRIMARY_KEY = b"Watchword's first dev key: everyone knows it, it guards nothing."
SECONDARY_KEY = b"Watchword's other dev key: everyone knows it, it guards nothing."

OPERATOR_ID = "dededededededede"
OPERATOR_SECRET = "everyone-knows-this-token-it-guards-nothing"

DEFAULTS: dict[str, Any] = {"key_publish_ahead": 3_600.0, "outbound_networks": ("127.0.0.0/8", "::1")}
"""Settings that `watchword dev` has otherwise: nobody's gateway keeps its key set for half a day, and what
it calls runs beside it."""

FOLDER_PREFIX = "watchword-dev-"
