"""The well-known resource of `watchword dev`: in every installation the same, so that examples can be copied.

Everybody knows these keys; hence a service that has them listens on loopback only.
"""

from __future__ import annotations

RESOURCE_ID = "dededede-dede-4ede-8ede-dededededede"
RESOURCE_NAME = "dev"

# 64 bytes each, as Azure's are. Whoever decodes one is told what it is worth.
PRIMARY_KEY = b"Watchword's first dev key: everyone knows it, it guards nothing."
SECONDARY_KEY = b"Watchword's other dev key: everyone knows it, it guards nothing."

OPERATOR_ID = "dededededededede"
OPERATOR_SECRET = "everyone-knows-this-token-it-guards-nothing"

FOLDER_PREFIX = "watchword-dev-"
