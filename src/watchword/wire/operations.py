"""What an operation is: one row of Azure's contract, as data."""

from __future__ import annotations

from dataclasses import dataclass

from watchword.wire.versions import Versions


@dataclass(frozen=True, slots=True)
class Operation:
    """One published operation, under Azure's own operationId, or one of Watchword's own.

        Operation("CommunicationIdentity_IssueAccessToken", "POST", "/identities/{id}/:issueAccessToken", 200, ...)

    `versions` is None for Watchword's own operations, which answer with any api-version or with none.
    """

    id: str
    method: str
    path: str
    success: int
    versions: Versions | None
    summary: str
