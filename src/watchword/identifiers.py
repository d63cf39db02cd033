"""Identifiers of resources, identities, tokens and threads: mint, parse, format. All random numbers are drawn here.

    8:acs:4ccc92c8-9815-4422-bddc-ceea181dc774_00000006-19e0-2727-80f5-8b3a0d003502
          └ the resource's guid                └ the flake: 8 bytes of milliseconds since 2020-01-01T08:00:00Z,
                                                 6 bytes of node, 2 bytes of counter

Source: identity.md section 5, verified on every recorded pair of date and identifier. The original puts the host's
MAC address where ours has a number drawn at start, so that an identifier tells nothing of the host, and two processes
never mint the same one.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import threading
import uuid

import msgspec

from watchword.clock import Clock

FLAKE_EPOCH_MILLIS = 1_577_865_600_000
"""2020-01-01T08:00:00Z in milliseconds since 1970. Observed: identity.md section 5."""

_GUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_IDENTITY = re.compile(f"8:acs:({_GUID})_({_GUID})", re.ASCII)
_EXCHANGED = re.compile(f"8:(acs:({_GUID})_(?:wf_)?{_GUID}_{_GUID}|orgid:{_GUID})", re.ASCII)
_THREAD = re.compile(r"19:(?:[a-z]{1,16}:)?[A-Za-z0-9_-]{1,128}@thread\.v2", re.ASCII)
_COUNTER_LIMIT = 1 << 16


class IdentityId(msgspec.Struct, frozen=True, gc=False):
    """`resource` is a lower-case guid, `flake` the 16 bytes that are unique among all identities."""

    resource: str
    flake: bytes

    def __str__(self) -> str:
        return f"8:{self.skype_id}"

    @property
    def skype_id(self) -> str:
        """The identifier as tokens name it: without its leading `8:`."""
        return f"acs:{self.resource}_{_format_guid(self.flake)}"

    @property
    def created_millis(self) -> int:
        """Milliseconds since 1970 at which the identifier was minted."""
        return int.from_bytes(self.flake[:8], "big") + FLAKE_EPOCH_MILLIS


def parse_identity(text: str) -> IdentityId | None:
    """The parts of an identifier in any case of letters, or None where the text is none."""
    match = _IDENTITY.fullmatch(text)
    if match is None:
        return None
    return IdentityId(match[1].lower(), bytes.fromhex(match[2].replace("-", "")))


def parse_exchanged_user(text: str) -> tuple[str | None, str] | None:
    """Resource and skypeid of a user who exchanged a token, or None where the text names none.

    A user of Teams is of no resource: `8:orgid:<object>`.
    """
    match = _EXCHANGED.fullmatch(text.lower())
    return (match[2], match[1]) if match else None


class FlakeMinter:
    """Mints flakes that grow strictly within a process and are unique across processes and restarts.

    When the clock stands still or steps back, the last millisecond is carried on; when a millisecond's 65,536 numbers
    are used up, the next one is borrowed. `floor` is the newest flake known from earlier runs.
    """

    def __init__(self, clock: Clock, floor: bytes = bytes(16)) -> None:
        self._clock = clock
        self._node = secrets.token_bytes(6)
        self._millis = int.from_bytes(floor[:8], "big")
        self._counter = _COUNTER_LIMIT - 1
        self._lock = threading.Lock()

    def mint(self) -> bytes:
        with self._lock:
            millis = self._clock.micros() // 1_000 - FLAKE_EPOCH_MILLIS
            if millis > self._millis:
                self._millis, self._counter = millis, 0
            elif self._counter + 1 < _COUNTER_LIMIT:
                self._counter += 1
            else:
                self._millis, self._counter = self._millis + 1, 0
            return self._millis.to_bytes(8, "big") + self._node + self._counter.to_bytes(2, "big")


def smallest_flake(created_millis: int) -> bytes:
    """The lower bound of all flakes minted at that millisecond since 1970 or later; for ranges over creation time."""
    millis = min(max(created_millis - FLAKE_EPOCH_MILLIS, 0), (1 << 64) - 1)
    return millis.to_bytes(8, "big") + bytes(8)


def new_guid() -> str:
    """A random guid, lower-case: for resources."""
    return str(uuid.uuid4())


def parse_guid(text: str) -> str | None:
    """The guid in lower case, or None where the text is none."""
    return text.lower() if re.fullmatch(_GUID, text, re.ASCII) else None


def new_thread_id() -> str:
    """The id of a thread of chat, never guessed and never drawn twice. Source: chat.md section 2.5."""
    return f"19:acsV1_{base64.urlsafe_b64encode(secrets.token_bytes(33))[:43].decode()}1@thread.v2"


def is_thread_id(text: str) -> bool:
    """Whether it is well-formed, though no thread may have it.

    Observed: such as `19:<32 hex>@thread.v2`, `19:<43 base64url>1@thread.v2` and `19:gcch:acsV2_...@thread.v2`.
    """
    return _THREAD.fullmatch(text) is not None


def new_token_id() -> str:
    """32 hexadecimal digits, never guessed and never drawn twice: the `jti` of an access token."""
    return _pool.draw(16).hex()


def new_request_id() -> bytes:
    """16 bytes that no other request has."""
    return _pool.draw(16)


def new_key_id() -> str:
    """16 hexadecimal digits that name an access key without telling anything of it."""
    return secrets.token_hex(8)


def random_bytes(count: int) -> bytes:
    """Bytes fit for keys and nonces."""
    return secrets.token_bytes(count)


class _RandomPool:
    """Random bytes for identifiers, of which each request needs some: one system call draws them for many."""

    _DRAWN_AT_ONCE = 4_096

    def __init__(self) -> None:
        self._drawn = b""
        self._used = 0
        self._lock = threading.Lock()

    def draw(self, count: int) -> bytes:
        with self._lock:
            if self._used + count > len(self._drawn):
                self._drawn, self._used = secrets.token_bytes(self._DRAWN_AT_ONCE), 0
            self._used += count
            return self._drawn[self._used - count : self._used]

    def forget(self) -> None:
        self._drawn = b""


_pool = _RandomPool()
if hasattr(os, "register_at_fork"):
    # Two processes must not draw the same bytes.
    os.register_at_fork(after_in_child=_pool.forget)


def _format_guid(value: bytes) -> str:
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
