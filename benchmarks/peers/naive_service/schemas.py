"""The bodies of requests and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Scope = Literal["chat", "voip", "chat.join", "chat.join.limited", "voip.join"]
Scopes = Annotated[list[Scope], Field(min_length=1)]
Minutes = Annotated[int, Field(ge=60, le=1440)]


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class CreateRequest(_Body):
    create_token_with_scopes: list[Scope] = []
    expires_in_minutes: Minutes = 1440


class IssueRequest(_Body):
    scopes: Scopes
    expires_in_minutes: Minutes = 1440


class AccessToken(_Body):
    token: str
    expires_on: datetime


class IdentityBody(_Body):
    id: str


class CreatedBody(_Body):
    identity: IdentityBody
    access_token: AccessToken | None = None
