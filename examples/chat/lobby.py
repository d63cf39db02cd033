"""The thread in which all users of the app meet: the app's server makes it, and lets its users in."""

from datetime import timedelta
from threading import Lock
from typing import Any

import httpx2

from watchword.client import IdentityClient, Scope
from watchword.wire.connection_string import parse_connection_string

TOPIC = "Lobby"
VERSION = {"api-version": "2025-03-15"}


class Lobby:
    """`endpoint` is where the page finds the service."""

    def __init__(self, connection_string: str) -> None:
        self.endpoint = parse_connection_string(connection_string).endpoint.rstrip("/")
        self._identities = IdentityClient.from_connection_string(connection_string)
        self._http = httpx2.Client(base_url=self.endpoint, params=VERSION)
        self._lock = Lock()
        self._thread = ""

    def enter(self, user: str, name: str) -> dict[str, object]:
        """The user takes part from now on; what their page needs."""
        # The custom id is your own key of the user: the first call makes the identity, every later one finds it.
        identity, issued = self._identities.create_user_and_token(
            [Scope.CHAT_JOIN], custom_id=user, token_expires_in=timedelta(hours=1)
        )
        with self._lock:
            host = self._host()
            self._thread = self._thread or self._find(host) or self._create(host)
            entry = {"communicationIdentifier": {"rawId": identity.id}, "displayName": name}
            self._ask("POST", f"/chat/threads/{self._thread}/participants/:add", host, {"participants": [entry]})
        return {
            "endpoint": self.endpoint,
            "thread": self._thread,
            "identity": identity.id,
            "token": issued.token,
            "name": name,
        }

    def leave(self, user: str) -> None:
        """Every token of the user is dead, at once and everywhere."""
        self._identities.revoke_tokens(self._identities.create_user(custom_id=user))

    def _host(self) -> str:
        """A token of the identity in whose name the app itself acts."""
        _, issued = self._identities.create_user_and_token(
            [Scope.CHAT], custom_id="the-app-itself", token_expires_in=timedelta(hours=1)
        )
        return issued.token

    def _find(self, host: str) -> str | None:
        listed = self._ask("GET", "/chat/threads", host)["value"]
        return next((each["id"] for each in listed if each["topic"] == TOPIC and "deletedOn" not in each), None)

    def _create(self, host: str) -> str:
        id: str = self._ask("POST", "/chat/threads", host, {"topic": TOPIC})["chatThread"]["id"]
        return id

    def _ask(self, method: str, path: str, token: str, body: object = None) -> Any:
        answer = self._http.request(method, path, headers={"Authorization": f"Bearer {token}"}, json=body)
        answer.raise_for_status()
        return answer.json()
