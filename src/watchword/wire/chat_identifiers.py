"""Users as the Chat API names them.

    {"rawId": "8:acs:<resource>_<rest>", "communicationUser": {"id": "8:acs:<resource>_<rest>"}}

A raw id stands for any kind; what clients send in its place is put together to one here, for the rules to judge.

Source: chat.md section 2.4; the published document of common identifiers.
"""

from __future__ import annotations

from watchword.bounded_cache import bounded_cache
from watchword.errors import MalformedBody, MissingField
from watchword.wire.chat_answers import IdentifierBody, UserIdentifierBody
from watchword.wire.chat_requests import Identifier

_CLOUDS = {"": "orgid", "public": "orgid", "dod": "dod", "gcch": "gcch"}


def read_identifier(identifier: Identifier | None, field: str) -> str:
    """The raw id.

    Raises:
        MissingField: there is no identifier, or it names nobody; `field` is where it should stand.
        MalformedBody: it names two at once.
    """
    named = [] if identifier is None else [name for name in _names(identifier) if name]
    if not named:
        raise MissingField(field)
    if len({name.lower() for name in named}) > 1:
        # Assumed: an identifier whose raw id and members name different users is refused.
        raise MalformedBody("The identifier names two different users", field)
    return named[0]


@bounded_cache(most_entries=1_000, longest_text=256)
def user_identifier(subject: str) -> IdentifierBody:
    """The user as answers name one, by the name in the user's tokens.

    Observed: without `kind`, which all clients derive from the raw id.
    """
    raw_id = f"8:{subject}"
    return IdentifierBody(raw_id, UserIdentifierBody(raw_id))


def _names(identifier: Identifier) -> list[str | None]:
    """The raw ids of all that it names. Source: the raw id of each kind, as official clients put it together."""
    user, teams = identifier.communicationUser, identifier.microsoftTeamsUser
    phone, app = identifier.phoneNumber, identifier.microsoftTeamsApp
    named = [identifier.rawId, None if user is None else user.id]
    if phone is not None and phone.value:
        named.append(identifier.rawId or f"4:{phone.value}")
    if teams is not None and teams.userId:
        named.append(f"8:{'teamsvisitor' if teams.isAnonymous else _cloud(teams.cloud)}:{teams.userId}")
    if app is not None and app.appId:
        named.append(f"28:{_cloud(app.cloud)}:{app.appId}")
    return named


def _cloud(name: str | None) -> str:
    return _CLOUDS.get((name or "").lower(), "unknown")
