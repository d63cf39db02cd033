"""A request that was answered, as the log, the metrics and the traces are told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from watchword.rest.call import Caller, Manager
from watchword.rest.routes import AnyBinding, Path
from watchword.wire.errors import WireError


class Finished(msgspec.Struct):
    """`request_id` is the answer's `ms-cv`; `seconds` are from the whole request to its answer, of which
    `seconds_to_caller` went by before the caller was proved, if any was.

    `binding` is None where no operation was meant, and then `path` is empty where none is there. `ignored` are the
    names of members of the body that only other api-versions know.
    """

    request_id: str
    method: str
    path: Path
    binding: AnyBinding | None
    version: str | None
    headers: Mapping[str, str]
    scheme: str
    status: int
    error: WireError | None
    caller: Caller | Manager | None
    seconds: float
    seconds_to_caller: float | None
    ignored: Sequence[str] = ()

    @property
    def known_version(self) -> str | None:
        """The api-version where it is one of the operation's: what is not could be anything that somebody typed."""
        binding = self.binding
        return self.version if binding and self.version in (binding.operation.versions or ()) else None
