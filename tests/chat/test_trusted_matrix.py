"""The matrix of the trusted server: caller and thread, of each of its operations; and that what is refused is nothing.

It is made from the rows of `matrix` and from the operations that the source declares, as that of users is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chat.matrix import NOT_MANAGING, THREADS, TRUSTED_ROWS, Ask, Place
from tests.chat.scenes import MEMBER, NEVER, SECRET, Cast, Scene
from tests.chat.test_matrix import STORED, UNKNOWN_THREAD, Rows
from tests.support.chat_world import refused
from tests.support.data import OtherResource, add_resource, add_verifier, first_resource, looking, transact
from tests.support.operations import all_operations
from tests.support.provider import PRINCIPAL, TENANT, Provider, running_provider
from tests.support.servers import running_server
from tests.support.signed import Reply, Signed, SignedClient
from watchword.entra.store import assign_role
from watchword.settings import Settings
from watchword.storage import Transaction
from watchword.testing import MovableClock, RunningServer
from watchword.tokens import scopes
from watchword.wire.operations import Operation

WITHOUT_A_ROLE = "44444444-4444-4444-8444-444444444444"
TRUSTED_STORED = (*STORED, "select number, frozen_millis from threads order by 1", "select * from restrictions")


@dataclass(frozen=True)
class World:
    """`tokens` by caller; threads that are alive and deleted, with the same people in them."""

    cast: Cast
    other: OtherResource
    tokens: dict[str, str]
    scenes: dict[str, Scene]
    foreign_thread: str
    rows: Callable[[], list[Rows]]

    def place(self, scene: Scene, thread: str) -> Place:
        path = {"of another resource": self.foreign_thread, "unknown": UNKNOWN_THREAD}.get(thread, scene.path)
        return Place(path, scene.messages[MEMBER]["another's"], self.cast.guest.id, self.cast.target.id)

    def ask(self, ask: Ask, caller: str, place: Place) -> Reply:
        method, target, body = ask(place)
        content = b"" if body is None else json.dumps(body).encode()
        if caller.startswith("access key"):
            key = {} if caller == "access key" else {"key": self.other.key}
            return self.cast.client.call(method, target, content, **key)
        token = self.tokens[caller]
        headers = {"Host": self.cast.client.host, "Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return self.cast.client.send(Signed(method, target, headers, content))


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider(MovableClock()) as running:
        yield running


@pytest.fixture(scope="module")
def server(provider: Provider) -> Iterator[RunningServer]:
    settings = Settings(
        request_log=False,
        tls=False,
        synchronous="OFF",
        entra_issuers=(provider.address,),
        entra_tenants=(TENANT,),
    )
    with running_server(settings, clock=provider.clock) as running:
        resource = first_resource(running)

        async def give_role(transaction: Transaction) -> None:
            await assign_role(transaction, resource, PRINCIPAL, role="contributor", now_micros=0)

        transact(running, give_role)
        yield running


@pytest.fixture(scope="module")
def matrix(server: RunningServer, provider: Provider) -> Iterator[World]:
    other = add_resource(server, "other")
    with SignedClient(server) as client, looking(server) as query:
        cast = Cast(client, server, other)
        scenes = {"alive": cast.scene(), "deleted": cast.scene()}
        assert cast.ada.ask("DELETE", scenes["deleted"].path).status == 204
        member = cast.users[MEMBER]
        tokens = {
            "nobody": "",
            "operator": server.operator_token,
            "verifier": add_verifier(server, first_resource(server)),
            "expired token": cast.expired[MEMBER],
            "revoked token": cast.revoked[MEMBER],
            "Entra role": provider.token(oid=PRINCIPAL),
            "Entra token without a role": provider.token(oid=WITHOUT_A_ROLE, sub=WITHOUT_A_ROLE, appid=None),
            **{scope: client.issue(member.id, {"scopes": [scope]}).json["token"] for scope in scopes.ALL},
        }
        yield World(
            cast, other, tokens, scenes, cast.foreign.new_thread(),
            lambda: [query(sql) for sql in TRUSTED_STORED],
        )  # fmt: skip


def test_every_operation_has_a_row() -> None:
    declared = [each for each in all_operations() if each.path.startswith("/trusted")]
    assert set(declared) == TRUSTED_ROWS.keys(), (
        "an operation of the trusted server needs a row in tests/chat/matrix.py"
    )


@pytest.mark.parametrize("operation", TRUSTED_ROWS, ids=lambda each: each.id)
def test_only_who_manages_the_resource_is_let_in_and_whoever_is_refused_changes_nothing(
    matrix: World, operation: Operation
) -> None:
    row = TRUSTED_ROWS[operation]
    wrong: list[tuple[Any, ...]] = []
    before = matrix.rows()
    cells = [(*cell, row.expected(*cell)) for cell in row.cells()]
    for caller, thread, expected in sorted(cells, key=lambda each: each[-1] < 400):
        if expected < 400 and before:
            assert matrix.rows() == before, "something that was refused has changed something"
            before = []
        scene = matrix.scenes["deleted" if thread == "deleted" else "alive"]
        if row.consumes and expected < 400 and thread == "alive":
            scene = matrix.cast.renewed(scene, NEVER, "another's")
        place = matrix.place(scene, thread)
        if row.before is not None and expected < 400:
            assert matrix.ask(row.before, "access key", place).status == 200
        reply = matrix.ask(row.ask, caller, place)
        if reply.status != expected:
            wrong.append((caller, thread, expected, reply.status, reply.body))
        elif expected >= 400:
            refused(reply, expected)
            assert SECRET.encode() not in reply.body, (caller, thread)
    assert wrong == []
    assert not before or matrix.rows() == before


def test_a_cell_is_of_every_caller_and_thread() -> None:
    cells = {cell for row in TRUSTED_ROWS.values() for cell in row.cells()}
    assert {each[0] for each in cells} > NOT_MANAGING.keys()
    assert {each[1] for each in cells} == set(THREADS)
