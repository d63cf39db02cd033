"""Whom an identifier names, when somebody is to be added to a thread or removed from it.

8:acs:<resource>_<rest>     an identity, or a user who exchanges tokens of another provider
8:orgid:<object>            a user of Teams: well-formed, and never in a thread of ours
4:+15550100  28:<bot>       kinds that are never in any
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchword.errors.chat import MalformedParticipant, UnsupportedParticipant
from watchword.identifiers import parse_exchanged_user, parse_guid, parse_identity

_UNSUPPORTED = re.compile(r"(?:4:|28:|48:|8:(?:gcch-acs|dod-acs|gcch|dod|live|teamsvisitor|sip):).+", re.ASCII)
_ACS = re.compile(r"8:acs:([0-9A-Fa-f-]{36})_[A-Za-z0-9_.-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NamedUser:
    """`subject` is a skypeid in lower case; `flake` is of an identity. `resource` is None of a user of Teams.

    `is_possible` says whether anybody could have it: an identity, or a user who exchanges tokens.
    """

    subject: str
    resource: str | None
    flake: bytes | None = None
    is_possible: bool = True


def read_user(id: str) -> NamedUser:
    """Source: chat.md section 2.4.

    Raises:
        MalformedParticipant: it is no identifier of a user.
        UnsupportedParticipant: it is of a kind that is never in a thread.
    """
    identity = parse_identity(id)
    if identity is not None:
        return NamedUser(identity.skype_id, identity.resource, identity.flake)
    exchanged = parse_exchanged_user(id)
    if exchanged is not None:
        resource, subject = exchanged
        return NamedUser(subject, resource)
    acs = _ACS.fullmatch(id)
    if acs is not None and (owner := parse_guid(acs[1])) is not None:
        return NamedUser(id[2:].lower(), owner, is_possible=False)
    if _UNSUPPORTED.fullmatch(id):
        raise UnsupportedParticipant(id)
    raise MalformedParticipant(id)
