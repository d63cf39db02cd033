"""A request that was answered, as the log, the metrics and the traces are told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

OTHER = "other"
"""In place of what a stranger could make up."""


class Finished(msgspec.Struct):
    """Plain facts. `request_id` is the answer's `ms-cv`; `path` is the operation's template, and empty where no
    operation is there; `operation` is its id, None where none was meant. `version` is the api-version where it is one
    of the operation's, and `OTHER` where it could be anything that somebody typed.

    `code` and `reason` are those of a refusal; `caller` is the name of who proved to be calling, and `resource` the id
    of the resource that the caller belongs to. `seconds` are from the whole request to its answer, of which
    `seconds_to_caller` went by before the caller was proved. `ignored` are the names of members of the body that only
    other api-versions know.
    """

    # With more than fifteen named arguments a call costs Python several times as much.
    request_id: str
    method: str
    path: str
    operation: str | None
    version: str | None
    headers: Mapping[str, str]
    scheme: str
    status: int
    code: str | None
    reason: str | None
    resource: str | None
    caller: str | None
    seconds: float
    seconds_to_caller: float | None
    ignored: Sequence[str] = ()

    @property
    def known_version(self) -> str | None:
        return self.version if self.version != OTHER else None
