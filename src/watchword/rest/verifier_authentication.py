"""Verifier credentials on the wire: as a bearer token, or as user and password of HTTP Basic, for stock clients.

Authorization: Bearer wwv_<id>_<secret>
Authorization: Basic base64(<id>:<secret>), or base64(<anything>:wwv_<id>_<secret>)
"""

from __future__ import annotations

import base64
import binascii

from watchword.errors import NotAuthenticated
from watchword.resources.verifier_credentials import PREFIX, prove_verifier
from watchword.rest.callers import Caller, Right
from watchword.rest.request import Request
from watchword.rest.resource_hosts import ResourceHosts
from watchword.storage import Database

_RIGHTS = frozenset({Right.VERIFY})


class VerifierAuthenticator:
    """Proves that a caller holds a verifier credential, which is read as committed at that instant."""

    def __init__(self, database: Database, hosts: ResourceHosts | None = None) -> None:
        self._database = database
        self._resource_hosts = hosts or ResourceHosts()

    async def authenticate(self, request: Request) -> Caller | None:
        """Find the verifier whose credential the request carries.

        Raises:
            NotAuthenticated: the credential is unknown, was deleted, or is malformed.
        """
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        match scheme.lower():
            case "bearer" if value.strip().startswith(f"{PREFIX}_"):
                id, secret = _split(value.strip())
            case "basic":
                id, secret = _read_basic(value.strip())
            case _:
                return None
        resource = await prove_verifier(self._database, id, secret)
        named = self._resource_hosts.name(request)
        if resource is None or (named is not None and named != resource.name.lower()):
            raise NotAuthenticated("The verifier credential is unknown here, or was deleted.")
        return Caller(resource, _RIGHTS, f"verifier {id}", credential=id)


def _read_basic(value: str) -> tuple[str, str]:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise NotAuthenticated("The Authorization header is not Basic with base64 of user and password.") from None
    return _split(password) if password.startswith(f"{PREFIX}_") else (user, password)


def _split(credential: str) -> tuple[str, str]:
    id, _, secret = credential.removeprefix(f"{PREFIX}_").partition("_")
    return id, secret
