"""Who may read a thread at all. What of it somebody sees is said once, in SQL: `reading_statements.visible`."""

from __future__ import annotations

from typing import TypeVar

from watchword.chat.limits import ChatLimits
from watchword.chat.store import Access
from watchword.errors.chat import NotAParticipant, ThreadNotFound

Found = TypeVar("Found")


def require_reader(found: tuple[Access, Found] | None, limits: ChatLimits) -> tuple[Access, Found]:
    """What was found, for who takes part; and for who was removed, if reading after removal is allowed.

    Source: chat.md sections 3.3 and 4.4.

    Raises:
        ThreadNotFound: it is not there, or was deleted.
        NotAParticipant: may not read it.
    """
    if found is None or found[0].deleted_millis is not None:
        raise ThreadNotFound
    access, _ = found
    if not access.is_known or (access.removed_millis is not None and not limits.reading_after_removal):
        raise NotAParticipant
    return found


def require_present(found: tuple[Access, Found] | None) -> tuple[Access, Found]:
    """The same for who takes part now.

    Raises:
        ThreadNotFound, NotAParticipant: as `require_reader`.
    """
    if found is None or found[0].deleted_millis is not None:
        raise ThreadNotFound
    access, _ = found
    if not access.is_known or access.removed_millis is not None:
        raise NotAParticipant
    return found
