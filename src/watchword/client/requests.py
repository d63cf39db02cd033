"""Each operation of the Identity API as a request to send and a way to read its reply: pure, for every client alike.

    POST /identities/8%3Aacs%3A.../:issueAccessToken?api-version=2023-10-01
    {"scopes":["chat"],"expiresInMinutes":60}

A target is built so that an HTTP library finds nothing to normalize: what is signed is what is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from watchword.client.replies import Reply, read_created, read_identity, read_nothing, read_page, read_token
from watchword.client.values import Identity, IssuedToken
from watchword.wire import identity, versions
from watchword.wire.operations import FORM, JSON, Operation
from watchword.wire.verification import REVOKE_TOKEN

Result = TypeVar("Result")

_MINUTE = timedelta(minutes=1)
_LONGEST_ID = 1_024
"""Far above any identifier's length, far below what HTTP libraries refuse with errors of their own."""


@dataclass(frozen=True, slots=True)
class Request:
    """`target` is the raw path and query, ASCII and percent-encoded."""

    method: str
    target: str
    body: bytes = b""
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """A request, how its reply is read, and what it means to send it twice.

    `repeatable`: carried out twice, it leaves what it leaves when carried out once.
    `wants_absence`: that the identity is not there is what the call is for.
    """

    request: Request
    read: Callable[[Reply], Result]
    repeatable: bool = True
    wants_absence: bool = False


def create_user(api_version: str, custom_id: str | None) -> Call[Identity]:
    request = _create(api_version, {"customId": custom_id})
    return Call(request, lambda reply: read_created(reply)[0], repeatable=custom_id is not None)


def create_user_and_token(
    api_version: str, scopes: Iterable[str], lifetime: timedelta | None, *, custom_id: str | None
) -> Call[tuple[Identity, IssuedToken]]:
    fields = {
        "createTokenWithScopes": _list(scopes),
        "expiresInMinutes": _minutes(lifetime),
        "customId": custom_id,
    }

    def read(reply: Reply) -> tuple[Identity, IssuedToken]:
        created, token = read_created(reply)
        if token is None:
            raise reply.unexpected("The service created an identity, but sent no access token.")
        return created, token

    return Call(_create(api_version, fields), read, repeatable=custom_id is not None)


def get_token(
    api_version: str, user: Identity | str, scopes: Iterable[str], *, lifetime: timedelta | None
) -> Call[IssuedToken]:
    fields = {"scopes": _list(scopes), "expiresInMinutes": _minutes(lifetime)}
    return Call(_on_identity(identity.ISSUE, user, api_version, body=_json(fields)), read_token)


def revoke_tokens(api_version: str, user: Identity | str) -> Call[None]:
    return Call(_on_identity(identity.REVOKE, user, api_version), read_nothing)


def revoke_token(token: str | None, token_id: str | None) -> Call[None]:
    given = {name: value for name, value in {"token": token, "token_id": token_id}.items() if value}
    if len(given) != 1:
        raise ValueError("a token is revoked by itself or by its id: give one of the two")
    body = urlencode(given).encode("ascii")
    return Call(Request(REVOKE_TOKEN.method, REVOKE_TOKEN.path, body, FORM), read_nothing)


def delete_user(api_version: str, user: Identity | str) -> Call[None]:
    return Call(_on_identity(identity.DELETE, user, api_version), read_nothing, wants_absence=True)


def get_user(user: Identity | str) -> Call[Identity]:
    return Call(_on_identity(identity.GET, user, versions.V2025_03_02_PREVIEW), read_identity)


def list_users(
    api_version: str,
    *,
    custom_id: str | None = None,
    created_after: datetime | None = None,
    created_before: datetime | None = None,
    page_size: int | None = None,
) -> Call[tuple[list[Identity], str | None]]:
    """The first page; its result holds the target of the next."""
    query = {
        "api-version": api_version,
        "customId": custom_id,
        "createdAfter": _moment(created_after),
        "createdBefore": _moment(created_before),
        "maxPageSize": page_size,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return next_page(f"{identity.LIST.path}?{urlencode(given, quote_via=quote, safe='')}")


def next_page(target: str) -> Call[tuple[list[Identity], str | None]]:
    return Call(Request(identity.LIST.method, target), read_page)


def _create(api_version: str, fields: Mapping[str, object]) -> Request:
    # A custom id exists in one api-version only; every other would ignore it and create a new identity each time.
    version = api_version if fields["customId"] is None else versions.V2025_03_02_PREVIEW
    return Request(identity.CREATE.method, _versioned(identity.CREATE.path, version), _json(fields))


def _on_identity(operation: Operation, user: Identity | str, api_version: str, *, body: bytes = b"") -> Request:
    path = operation.path.replace("{id}", _segment(str(user)))
    return Request(operation.method, _versioned(path, api_version), body)


def _segment(text: str) -> str:
    """Percent-encoded throughout, the dots of `..` too, which would otherwise be resolved to another path.

    Raises:
        ValueError: empty, or absurdly long.
    """
    if not 0 < len(text) <= _LONGEST_ID:
        raise ValueError(f"an identity has 1 to {_LONGEST_ID} characters, not {len(text)}")
    return quote(text, safe="").replace(".", "%2E")


def _versioned(path: str, api_version: str) -> str:
    return f"{path}?api-version={quote(api_version, safe='')}"


def _json(fields: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not None})


def _list(scopes: Iterable[str]) -> list[str]:
    if isinstance(scopes, str):
        raise TypeError(f"scopes are a list of strings: [{str(scopes)!r}], not {str(scopes)!r}")
    return list(scopes)


def _minutes(lifetime: timedelta | None) -> int | None:
    if lifetime is None:
        return None
    minutes, rest = divmod(lifetime, _MINUTE)
    if rest:
        raise ValueError(f"a token's lifetime is a whole number of minutes, not {lifetime}")
    return minutes


def _moment(moment: datetime | None) -> str | None:
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.isoformat() if moment is not None else None
