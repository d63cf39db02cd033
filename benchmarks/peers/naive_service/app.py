"""The routes: create and delete identities, issue and revoke their tokens."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from sqlalchemy.orm import Session

from benchmarks.peers.naive_service.database import Identity, open_database
from benchmarks.peers.naive_service.schemas import (
    AccessToken,
    CreatedBody,
    CreateRequest,
    IdentityBody,
    IssueRequest,
)
from benchmarks.peers.naive_service.security import signature_check
from benchmarks.peers.naive_service.settings import Settings
from benchmarks.peers.naive_service.tokens import Issuer


def create_app(settings: Settings) -> FastAPI:
    app = FastAPI(title="Identities and access tokens")
    app.state.settings = settings
    app.state.sessions = open_database(settings.database)
    app.state.issuer = Issuer(settings.resource)
    app.include_router(_identities, dependencies=[Depends(signature_check(settings.key))])
    app.include_router(_public)
    return app


def get_session(request: Request) -> Iterator[Session]:
    with request.app.state.sessions() as session:
        yield session


def get_issuer(request: Request) -> Issuer:
    issuer: Issuer = request.app.state.issuer
    return issuer


SessionInUse = Annotated[Session, Depends(get_session)]
IssuerInUse = Annotated[Issuer, Depends(get_issuer)]


def get_identity(identity_id: str, session: SessionInUse) -> Identity:
    identity = session.get(Identity, identity_id)
    if identity is None:
        raise HTTPException(404, "There is no such identity.")
    return identity


KnownIdentity = Annotated[Identity, Depends(get_identity)]

_identities = APIRouter(prefix="/identities")
_public = APIRouter()


@_identities.post("", status_code=201, response_model_exclude_none=True)
def create_identity(
    request: Request, session: SessionInUse, issuer: IssuerInUse, body: CreateRequest | None = None
) -> CreatedBody:
    resource = request.app.state.settings.resource
    identity = Identity(id=f"8:acs:{resource}_{uuid.uuid4()}", created_at=datetime.now(UTC))
    session.add(identity)
    session.commit()
    created = CreatedBody(identity=IdentityBody(id=identity.id))
    if body and body.create_token_with_scopes:
        created.access_token = issuer.issue(identity.id, body.create_token_with_scopes, body.expires_in_minutes)
    return created


@_identities.post("/{identity_id}/:issueAccessToken")
def issue_access_token(identity: KnownIdentity, issuer: IssuerInUse, body: IssueRequest) -> AccessToken:
    return issuer.issue(identity.id, body.scopes, body.expires_in_minutes)


@_identities.post("/{identity_id}/:revokeAccessTokens", status_code=204)
def revoke_access_tokens(identity: KnownIdentity, session: SessionInUse) -> None:
    identity.tokens_valid_from = datetime.now(UTC)
    session.commit()


@_identities.delete("/{identity_id}", status_code=204)
def delete_identity(identity: KnownIdentity, session: SessionInUse) -> None:
    session.delete(identity)
    session.commit()


@_public.get("/jwks")
def get_jwks(issuer: IssuerInUse) -> dict[str, list[dict[str, str]]]:
    return issuer.jwks()
