"""What `doctor` finds out about the moderation webhook: whether it may be called, and whether somebody is there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from watchword.chat.opening import open_moderator
from watchword.cli.findings import Finding, ok, problem, told_by
from watchword.clock import SystemClock
from watchword.errors import AddressRefused, NoAnswer, OperatorError
from watchword.measurements import ModerationCounts
from watchword.settings import Settings

_ABOUT = "moderation"


def check_moderation(settings: Settings) -> Iterator[Finding]:
    """Whatever it answers to HEAD, it is there; nothing is shown to it. None where no webhook is set."""
    try:
        if open_moderator(settings, SystemClock(), ModerationCounts()) is not None:
            yield asyncio.run(_reach(settings))
    except OperatorError as error:
        yield told_by(_ABOUT, error)


async def _reach(settings: Settings) -> Finding:
    from watchword.chat.moderator_opening import calls_of

    meanwhile = "refused with 503" if settings.moderation_on_failure == "refuse" else "stored unseen"
    calls = calls_of(settings)
    try:
        reply = await calls.call("HEAD", b"", {}, seconds=settings.moderation_timeout)
    except AddressRefused as error:
        remedy = f"Until it may be called, what users say in chats is {meanwhile}. See docs/howto/moderate-messages.md."
        return problem(_ABOUT, f"The webhook is not called. {error.reason}", remedy)
    except NoAnswer as error:
        remedy = f"Start it, or correct --moderation-url. Until it answers, what users say in chats is {meanwhile}."
        return problem(_ABOUT, f"The webhook does not answer. {error.reason}", remedy)
    finally:
        await calls.close()
    return ok(_ABOUT, f"The webhook at {calls.target.authority} is there: it answers HEAD with {reply.status}.")
