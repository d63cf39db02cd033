"""The door of users: an access token of ours, as chat and calling clients send it.

    Authorization: Bearer eyJ...
    X-Skypetoken: eyJ...            where the operation says so

The signature is checked once and remembered by the token's digest; whether the token is in time, and everything that
may have ended it, is asked of committed state at each request. No cookie is read.
"""

from __future__ import annotations

import hashlib

from watchword.errors import InvalidToken, NotAllowed, NotAuthenticated
from watchword.keyring.keyring import Keyring
from watchword.rest.bearer import USER_HEADER, bearer_token
from watchword.rest.callers import User
from watchword.rest.doors import Words
from watchword.rest.live_tokens import LiveTokens
from watchword.rest.request import Request
from watchword.rest.resource_hosts import ResourceHosts
from watchword.tokens.claims import AccessToken, to_access_token
from watchword.tokens.jws import require_size
from watchword.tokens.verifier import Proof, read_signed
from watchword.wire.operations import Operation

_MOST_REMEMBERED = 10_000
_WANTED = "This operation takes a user's access token: Authorization: Bearer <token>."
_WHAT_CAME = {
    "hmac-sha256": "The request is signed with an access key.",
    "basic": "The request brings a verifier credential, or user and password.",
}


class UserDoor:
    """`describe` has the words of the contract whose operations are behind it."""

    schemes = ("user",)

    def __init__(
        self,
        describe: Words,
        *,
        keyring: Keyring,
        live_tokens: LiveTokens,
        hosts: ResourceHosts,
    ) -> None:
        self.describe = describe
        self._keyring = keyring
        self._live_tokens = live_tokens
        self._hosts = hosts
        self._proofs: dict[bytes, tuple[Proof, AccessToken]] = {}

    async def admit(self, request: Request, operation: Operation) -> User:
        """Judge the access token of the request, and let its user pass where a scope allows it.

        Raises:
            NotAuthenticated: there is no access token, or it is not good; the sentence says which check failed.
            NotAllowed: it is good, and has none of the scopes that the operation needs.
        """
        token = _token(request, operation)
        try:
            proof, access_token = await self._prove(token)
            resource, ban = await self._live_tokens.require(proof.claims, proof.key.kid, self._hosts.name(request))
        except InvalidToken as error:
            raise NotAuthenticated(error.reason) from None
        user = User(resource, access_token, proof.key.kid, ban)
        _require_scope(user, operation)
        return user

    async def _prove(self, token: str) -> tuple[Proof, AccessToken]:
        require_size(token)
        keys = await self._keyring.key_set()
        # A digest, so that nothing is kept that could be presented as a token.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._proofs.get(digest)
        if found is None or keys.find(found[0].key.kid) != found[0].key:
            proof = read_signed(token, keys)
            found = proof, to_access_token(proof.claims)
            while len(self._proofs) >= _MOST_REMEMBERED:
                del self._proofs[next(iter(self._proofs))]
            self._proofs[digest] = found
        return found


def _token(request: Request, operation: Operation) -> str:
    token = bearer_token(request)
    if token is None and operation.reads_user_header:
        token = request.headers.get(USER_HEADER)
    if token is None:
        scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
        raise NotAuthenticated(f"{_WHAT_CAME.get(scheme, 'There is no access token.')} {_WANTED}")
    if token.startswith("wwo_"):
        raise NotAuthenticated(f"The bearer token is an operator's. {_WANTED}")
    if token.startswith("wwv_"):
        raise NotAuthenticated(f"The bearer token is a verifier credential. {_WANTED}")
    return token


def _require_scope(user: User, operation: Operation) -> None:
    if operation.scopes and user.token.scopes.isdisjoint(operation.scopes):
        needed, has = ", ".join(operation.scopes), ", ".join(sorted(user.token.scopes))
        raise NotAllowed(f"{operation.id} needs an access token with one of the scopes {needed}; this one has: {has}.")
