"""Is it alive, is it ready: for supervisors and load balancers. Watchword's own operations."""

from __future__ import annotations

from watchword.rest.call import AnyBinding, Binding, Call, RawAnswer
from watchword.rest.doors import Doors
from watchword.rest.standing import Standing
from watchword.wire.operations import Body, Operation

_WORD = (Body(str, media_type="text/plain"),)
HEALTH = Operation(
    "Watchword_Health", "GET", "/healthz", 200, None,
    "Whether the process answers at all.",
    gives=_WORD,
)  # fmt: skip
READINESS = Operation(
    "Watchword_Readiness", "GET", "/readyz", 200, None,
    "Whether requests can be served: the database answers and takes writes, the key and the clock are right.",
    gives=_WORD,
)  # fmt: skip

_TEXT = (("content-type", "text/plain; charset=utf-8"), ("cache-control", "no-store"))


_LATER = (("retry-after", "5"),)


class Health:
    """Two questions that must not be mixed up: restarting a process does not bring its database back."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def bindings(self, doors: Doors) -> list[AnyBinding]:
        return [
            Binding(HEALTH, self.health, doors.nobody, "waits"),
            Binding(READINESS, self.readiness, doors.nobody, "waits"),
        ]

    async def health(self, call: Call[None]) -> RawAnswer:
        del call
        return RawAnswer(b"ok\n", _TEXT)

    async def readiness(self, call: Call[None]) -> RawAnswer:
        """Say whether this server can do its work now.

        Raises:
            Unavailable: the database does not answer.
        """
        del call
        if self._standing.is_leaving:
            return RawAnswer(b"not ready\nstop: The server was told to stop.\n", (*_TEXT, *_LATER), 503)
        trouble = await self._standing.trouble()
        if trouble:
            lines = "".join(f"{check}: {sentence}\n" for check, sentence in trouble.items())
            return RawAnswer(f"not ready\n{lines}".encode(), (*_TEXT, *_LATER), 503)
        return RawAnswer(b"ready\n", _TEXT)
