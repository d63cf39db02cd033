"""The rules of the trusted server, put together: what the server of an application may do without taking part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from watchword.chat.limits import ChatLimits
from watchword.chat.store import ChatStore
from watchword.chat.trusted_exports import Exports
from watchword.chat.trusted_messages import TrustedMessages
from watchword.chat.trusted_participants import TrustedParticipants
from watchword.chat.trusted_restrictions import TrustedRestrictions
from watchword.chat.trusted_threads import TrustedThreads
from watchword.identifiers import FlakeMinter
from watchword.realtime.store import RegistrationStore


@dataclass(frozen=True, slots=True)
class Trusted:
    """What its operations call."""

    threads: TrustedThreads
    participants: TrustedParticipants
    restrictions: TrustedRestrictions
    messages: TrustedMessages
    exports: Exports


def open_trusted(
    store: ChatStore,
    minter: FlakeMinter,
    limits: ChatLimits,
    *,
    registrations: RegistrationStore,
    nudge: Callable[[], None] = lambda: None,
) -> Trusted:
    """`minter` draws the keys of messages. `nudge` is called when something goes on in the background."""
    return Trusted(
        TrustedThreads(store, nudge),
        TrustedParticipants(store, limits),
        TrustedRestrictions(store),
        TrustedMessages(store, minter, limits),
        Exports(store, registrations),
    )
