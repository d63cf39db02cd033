"""Is a token live at this instant? The one place where tests ask, as a verifier would."""

from __future__ import annotations

from urllib.parse import urlencode

from tests.support.signed import SignedClient


def why_dead(client: SignedClient, token: str) -> str | None:
    """None of a live token; of a dead one, what the service tells its resource's owner."""
    reply = client.call("POST", "/introspect", urlencode({"token": token}).encode())
    assert reply.status == 200, reply
    answer = reply.json
    if answer["active"]:
        return None
    return str(answer.get("reason", "not a token of this resource"))


def is_live(client: SignedClient, token: str) -> bool:
    return why_dead(client, token) is None
