"""A service that is not Watchword's, composed from outside: one operation behind each door, and what every wrong caller
is told there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest

from tests.support.data import OtherResource, add_resource, add_verifier, first_resource
from tests.support.engines import FreshSettings
from tests.support.signed import Reply, Signed, SignedClient
from watchword.errors import NotAuthenticated
from watchword.ground import Ground
from watchword.rest.call import Binding, Call
from watchword.rest.callers import Manager, User
from watchword.rest.doors import Doors, Guarded, in_words_of
from watchword.rest.request import Request
from watchword.rest.service import Service
from watchword.testing import RunningServer, running_server
from watchword.wire.errors import describe
from watchword.wire.management_errors import describe as describe_management
from watchword.wire.operations import Body, Operation

SESSION = "the-session-of-ada"


class Seen(msgspec.Struct):
    who: str


def _operation(path: str, **facts: object) -> Operation:
    id, gives = f"Trial_{path.title()}", (Body(Seen),)
    return Operation(id, "POST", f"/trial/{path}", 200, None, "A trial.", gives=gives, **facts)  # type: ignore[arg-type]


USERS = _operation("users", scopes=("chat", "chat.join"))
REALTIME = _operation("realtime", scopes=("chat",), reads_user_header=True)
OPERATORS = _operation("operators")
CONSOLE = _operation("console")
TIME = _operation("time")
BRIEF = _operation("brief", largest_body_bytes=16)
WORDED = _operation("worded")


@dataclass(frozen=True)
class Person:
    """Whoever has a session of the console."""

    name: str
    resource_id: None = None
    counted_for: None = None


class Sessions:
    async def authenticate(self, request: Request) -> Person | None:
        if request.headers.get("cookie") != f"session={SESSION}":
            return None
        return Person("ada")


def _refuse(request: Request) -> NotAuthenticated:
    del request
    return NotAuthenticated("Sign in at /console first.")


async def _user(call: Call[User]) -> Seen:
    return Seen(call.caller.token.identity)


async def _manager(call: Call[Manager]) -> Seen:
    return Seen(call.caller.name)


async def _time(call: Call[Manager]) -> Seen:
    return Seen(str(call.now))


async def _person(call: Call[Person]) -> Seen:
    return Seen(call.caller.name)


def open_trial(ground: Ground, doors: Doors) -> Service:
    del ground
    console = Guarded(("session",), describe, (Sessions(),), _refuse)
    return Service(
        [
            Binding(USERS, _user, doors.users),
            Binding(REALTIME, _user, doors.users),
            Binding(OPERATORS, _manager, doors.operators, "waits"),
            Binding(CONSOLE, _person, console, "waits"),
            Binding(TIME, _time, doors.operators, "waits"),
            Binding(BRIEF, _user, doors.users),
            Binding(WORDED, _user, in_words_of(describe_management, doors.users)),
        ]
    )


@dataclass
class World:
    server: RunningServer
    client: SignedClient
    other: OtherResource
    credential: str

    def ask(self, path: str, **headers: str) -> Reply:
        sent = {"Host": self.client.host} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.send(Signed("POST", f"/trial/{path}", sent, b""))

    def told(self, path: str, **headers: str) -> tuple[int, str, str]:
        reply = self.ask(path, **headers)
        return reply.status, reply.error["code"], reply.error["message"]

    def signed(self, path: str) -> tuple[int, str, str]:
        reply = self.client.call("POST", f"/trial/{path}")
        return reply.status, reply.error["code"], reply.error["message"]

    def token(self, *scopes: str, key: bytes | None = None) -> str:
        body = {"createTokenWithScopes": list(scopes or ("chat",))}
        reply = self.client.call("POST", "/identities?api-version=2023-10-01", body, key=key or self.server.keys[0])
        token: str = reply.json["accessToken"]["token"]
        return token


@pytest.fixture(scope="module")
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings(), services=[open_trial]) as running:
        yield running


@pytest.fixture(scope="module")
def other(server: RunningServer) -> OtherResource:
    return add_resource(server, "other")


@pytest.fixture
def world(server: RunningServer, other: OtherResource) -> Iterator[World]:
    with SignedClient(server) as client:
        yield World(server, client, other, add_verifier(server, first_resource(server)))


DENIED = "Denied by the resource provider. "
WANTED = "This operation takes a user's access token: Authorization: Bearer <token>."


def test_a_users_token_opens_the_door_of_users_and_no_other(world: World) -> None:
    token = world.token("chat")
    reply = world.ask("users", Authorization=f"Bearer {token}")
    assert (reply.status, reply.json["who"].startswith("8:acs:")) == (200, True)
    assert world.told("operators", Authorization=f"Bearer {token}") == (
        401,
        "AuthenticationFailed",
        "The bearer token is none of an operator; those begin with wwo_.",
    )
    assert world.told("console", Authorization=f"Bearer {token}") == (
        401,
        "Denied",
        f"{DENIED}Sign in at /console first.",
    )


def test_the_door_of_users_says_what_it_wants_to_every_other_caller(world: World) -> None:
    for headers, came in (
        ({}, "There is no access token."),
        ({"cookie": f"session={SESSION}"}, "There is no access token."),
        ({"X_Skypetoken": world.token()}, "There is no access token."),
        ({"Authorization": f"Bearer {world.server.operator_token}"}, "The bearer token is an operator's."),
        ({"Authorization": f"Bearer {world.credential}"}, "The bearer token is a verifier credential."),
        ({"Authorization": "Basic YTpi"}, "The request brings a verifier credential, or user and password."),
    ):
        assert world.told("users", **headers) == (401, "Denied", f"{DENIED}{came} {WANTED}")
    assert world.signed("users") == (401, "Denied", f"{DENIED}The request is signed with an access key. {WANTED}")


def test_an_operation_is_handed_the_time_of_the_call(world: World) -> None:
    before = world.server.clock.micros()
    reply = world.ask("time", Authorization=f"Bearer {world.server.operator_token}")
    assert before <= int(reply.json["who"]) <= world.server.clock.micros()


def test_the_same_door_says_no_in_the_words_of_the_contract_that_its_operation_is_of(world: World) -> None:
    assert world.told("worded") == (401, "AuthenticationFailed", f"There is no access token. {WANTED}")
    assert world.ask("worded", Authorization=f"Bearer {world.token()}").status == 200


def test_the_largest_body_is_the_operations_own(world: World) -> None:
    headers = {"Host": world.client.host, "Authorization": f"Bearer {world.token()}"}
    assert world.client.send(Signed("POST", "/trial/brief", headers, b"x" * 16)).status == 200
    assert world.client.send(Signed("POST", "/trial/users", headers, b"x" * 17)).status == 200
    reply = world.client.send(Signed("POST", "/trial/brief", headers, b"x" * 17))
    assert (reply.status, "16" in reply.error["message"]) == (413, True)


def test_the_header_of_realtime_counts_where_the_operation_says_so(world: World) -> None:
    assert world.ask("realtime", X_Skypetoken=world.token("chat")).status == 200
    assert world.ask("realtime", Authorization=f"Bearer {world.token('chat')}").status == 200
    assert world.told("realtime", X_Skypetoken="nonsense")[0] == 401


def test_a_token_without_a_scope_of_the_operation_is_told_which_it_needs(world: World) -> None:
    assert world.told("users", Authorization=f"Bearer {world.token('voip')}") == (
        403,
        "Forbidden",
        "Trial_Users needs an access token with one of the scopes chat, chat.join; this one has: voip.",
    )


def test_a_token_that_ended_is_refused_at_once_and_says_why(world: World) -> None:
    def revoke(token: str) -> None:
        assert world.client.call("POST", "/revoke", f"token={token}".encode()).status == 200

    def replace_identity(token: str) -> None:
        identity = world.ask("users", Authorization=f"Bearer {token}").json["who"]
        assert world.client.delete(identity).status == 204

    ways: list[tuple[Callable[[str], None], str]] = [
        (revoke, "This token was revoked."),
        (replace_identity, "The token's identity, or its resource, was deleted."),
    ]
    for end, reason in ways:
        token = world.token("chat")
        assert world.ask("users", Authorization=f"Bearer {token}").status == 200
        end(token)
        assert world.told("users", Authorization=f"Bearer {token}") == (401, "Denied", f"{DENIED}{reason}")
    expired = world.token("chat")
    world.server.clock.move(timedelta(hours=24))
    assert world.told("users", Authorization=f"Bearer {expired}")[2] == f"{DENIED}The token has expired."


def test_users_of_every_resource_come_in_as_users_of_their_own(world: World) -> None:
    token = world.token("chat", key=world.other.key)
    assert world.other.resource.id in world.ask("users", Authorization=f"Bearer {token}").json["who"]


def test_the_door_of_operators_says_what_it_wants(world: World) -> None:
    assert world.ask("operators", Authorization=f"Bearer {world.server.operator_token}").status == 200
    wants = "The management API takes an operator's token: Authorization: Bearer wwo_..."
    assert world.told("operators") == (401, "AuthenticationFailed", wants)
    assert world.signed("operators") == (401, "AuthenticationFailed", wants)
    no_operator = "The bearer token is none of an operator; those begin with wwo_."
    assert world.told("operators", Authorization=f"Bearer {world.credential}")[2] == no_operator
    unknown = world.server.operator_token[:-1] + "x"
    assert world.told("operators", Authorization=f"Bearer {unknown}")[2] == (
        "The operator's token is unknown, or was deleted."
    )


def test_the_door_of_the_console_takes_its_session_alone(world: World) -> None:
    assert world.ask("console", cookie=f"session={SESSION}").json == {"who": "ada"}
    for headers in ({}, {"cookie": "session=x"}, {"Authorization": f"Bearer {world.server.operator_token}"}):
        assert world.told("console", **headers) == (401, "Denied", f"{DENIED}Sign in at /console first.")
    assert world.signed("console")[2] == f"{DENIED}Sign in at /console first."


def test_the_document_tells_the_scheme_of_each_door(world: World) -> None:
    paths = world.client.call("GET", "/openapi.json").json["paths"]
    schemes = {name: paths[f"/trial/{name}"]["post"]["security"] for name in ("users", "operators", "console")}
    assert schemes == {"users": [{"user": []}], "operators": [{"operator": []}], "console": [{"session": []}]}
