"""The service of chat, put together. A moderator is opened before anything is made: a setting may be at fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.chat.background import Background
from watchword.chat.backlog import Backlog
from watchword.chat.departures import Departures
from watchword.chat.inbox_operations import InboxOperations
from watchword.chat.moderation import Moderation
from watchword.chat.operations import ChatOperations
from watchword.chat.purges import Purges
from watchword.chat.rules import limits_of, open_rules
from watchword.chat.store import ChatStore
from watchword.chat.trusted import open_trusted
from watchword.chat.trusted_export_operations import TrustedExportOperations
from watchword.chat.trusted_import_operations import TrustedImportOperations
from watchword.chat.trusted_imports import TrustedImports
from watchword.chat.trusted_message_operations import TrustedMessageOperations
from watchword.chat.trusted_operations import TrustedOperations
from watchword.chat.trusted_participant_operations import TrustedParticipantOperations
from watchword.chat.trusted_restriction_operations import TrustedRestrictionOperations
from watchword.clock import Clock
from watchword.ground import Ground
from watchword.measurements import ModerationCounts
from watchword.realtime.store import RegistrationStore
from watchword.rest.chat_door import ChatDoor
from watchword.rest.doors import Doors
from watchword.rest.service import Service
from watchword.settings import Settings
from watchword.telemetry.levels import Gauge

if TYPE_CHECKING:
    from watchword.chat.moderator import Moderator


def open_moderator(settings: Settings, clock: Clock, counts: ModerationCounts) -> Moderator | None:
    """Make the moderator that the settings name, if they do; it is not asked anything yet.

    Raises:
        OperatorError: its address or its secret is not usable.
    """
    if not settings.moderation_url:
        return None
    # With an HTTP library, which other servers need not load.
    from watchword.chat.moderator_opening import moderator_of

    return moderator_of(settings, clock, counts)


def open_chat(ground: Ground, doors: Doors, moderator: Moderator | None = None) -> Service:
    limits = limits_of(ground.settings)
    wake = ground.journal.wake
    store = ChatStore(ground.database, wake)
    purges = Purges(store, limits)
    background = Background(Departures(store), purges, ground.clock, may_purge=lambda: ground.clock_watch.may_purge)
    moderation = None
    if moderator is not None:
        moderation = Moderation(
            store,
            moderator.ask,
            ground.measured.moderation,
            allows_unanswered=ground.settings.moderation_on_failure == "allow",
        )
    rules = open_rules(
        ground.database,
        ground.minter,
        limits,
        wake=wake,
        nudge=background.nudge,
        moderation=moderation,
        require_right_clock=lambda: ground.clock_watch.require_right(ground.clock.micros()),
    )
    operations = ChatOperations(
        rules, limits, ground.journal.signal, door=ChatDoor(doors.users), is_moderated=moderator is not None
    )
    trusted = open_trusted(
        store, ground.minter, limits, registrations=RegistrationStore(ground.database), nudge=background.nudge
    )
    others = (
        InboxOperations(rules.inbox),
        TrustedOperations(trusted),
        TrustedParticipantOperations(trusted, limits),
        TrustedMessageOperations(trusted.messages, limits),
        TrustedExportOperations(trusted.exports),
        TrustedRestrictionOperations(trusted),
        TrustedImportOperations(TrustedImports(store, limits), limits),
    )
    backlog = Backlog(store, limits, ground.clock)
    return Service(
        [*operations.bindings(), *(each for some in others for each in some.bindings(doors))],
        background=[
            background.keep_working,
            # Of several processes the one that follows the journal looks for all.
            lambda: backlog.keep_looking(lambda: ground.journal.is_follower),
            *([] if moderator is None else [moderator.keep_open]),
        ],
        purges=[purges.purge],
        gauges=[*backlog.gauges, *_gauges(moderator)],
    )


def _gauges(moderator: Moderator | None) -> list[Gauge]:
    return [
        Gauge(
            "watchword_moderation_under_way",
            "Questions to the moderator that have no answer yet.",
            lambda: 0 if moderator is None else moderator.under_way,
        ),
        Gauge(
            "watchword_moderation_given_up",
            "Processes in which the moderator is hardly asked, because it does not answer.",
            lambda: 0 if moderator is None else int(moderator.is_given_up),
        ),
    ]
