"""`POST /introspect` (RFC 7662): a caller learns only of tokens of its own resource, and only the owner learns why."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.support.engines import FreshSettings
from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from tests.support.standing import why_dead
from tests.verification.conftest import Asker, World

HOSTILE = json.loads((PROJECT / "tests/vectors/hostile_tokens.json").read_text("ascii"))["hostile"]


@pytest.mark.parametrize("who", ["owner", "verifier"])
def test_a_live_token_is_described(world: World, who: str) -> None:
    asker: Asker = getattr(world, who)
    answer = asker.introspect(world.new_token())
    assert answer.pop("exp") - answer.pop("iat") == 24 * 3_600
    assert len(answer.pop("jti")) == 32
    assert answer["resource"] == answer.pop("aud")
    assert answer.pop("iss") == world.server.endpoint
    assert answer.pop("sub").startswith("8:acs:" + answer.pop("resource") + "_")
    assert answer == {"active": True, "scope": "chat voip", "token_type": "Bearer"}


@pytest.mark.parametrize("who", ["owner", "verifier"])
def test_introspection_across_audiences_tells_nothing_cve_2026_37979(world: World, who: str) -> None:
    """A live token, a dead one and no token at all of another resource look the same."""
    asker: Asker = getattr(world, who)
    foreign = world.new_token("other")
    assert world.other_owner.introspect(foreign)["active"]
    assert asker.introspect(foreign) == {"active": False}
    world.other_owner.revoke(token=foreign)
    assert "revoked" in world.other_owner.introspect(foreign)["reason"]
    assert asker.introspect(foreign) == {"active": False}
    assert asker.introspect("no token") == {"active": False}


def test_only_the_owner_is_told_why(world: World) -> None:
    token = world.new_token()
    assert world.owner.revoke(token=token).status == 200
    assert world.owner.introspect(token) == {"active": False, "reason": "This token was revoked."}
    assert world.verifier.introspect(token) == {"active": False}


def test_an_expired_token_is_inactive(fresh_settings: FreshSettings) -> None:
    settings = fresh_settings()
    with running_server(settings) as server, SignedClient(server) as client:
        token = client.new_token(client.new_identity())
        server.clock.move(timedelta(hours=24))
        assert why_dead(client, token) == "The token has expired."


def test_no_hostile_token_is_active_nor_told_of(world: World) -> None:
    answers = [world.owner.introspect(each["token"]) for each in HOSTILE if each["token"]]
    assert len(answers) > 200
    assert [answer for answer in answers if answer != {"active": False}] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"token=",
        b"token=a&token=b",
        b"token_type_hint=access_token",
        b"token=%ff",
        b"token=\xff",
        b'{"token":"x"}',
        urlencode({f"field{number}": "x" for number in range(30)}).encode(),
    ],
)
def test_a_question_that_cannot_be_read_is_refused(world: World, body: bytes) -> None:
    assert world.owner.ask("POST", "/introspect", body).status == 400


def test_whoever_proves_nothing_is_told_nothing(world: World) -> None:
    token = urlencode({"token": world.new_token()}).encode()
    for authorization in ("", "Bearer", "Bearer x", f"Bearer {world.new_token()}", "Digest x"):
        assert world.as_verifier(authorization).ask("POST", "/introspect", token).status == 401
