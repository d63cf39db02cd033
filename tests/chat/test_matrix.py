"""The matrix: caller, membership, thread and message, of every operation of chat; and that what is refused is nothing.

It is made from the rows of `matrix` and from the operations that the source declares: a new one fails until it has a
row of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chat.matrix import AFTER, CALLERS, FOREIGN, MESSAGES, ROWS, THREADS, Place, Row
from tests.chat.scenes import MEMBERSHIPS, NEVER, SECRET, Cast, Scene
from tests.support.chat_world import refused
from tests.support.data import OtherResource, add_verifier, first_resource, looking
from tests.support.operations import all_operations
from tests.support.servers import running_server
from tests.support.signed import Reply, SignedClient
from watchword.settings import Settings
from watchword.testing import RunningServer
from watchword.tokens import scopes
from watchword.wire.operations import Operation

UNKNOWN_THREAD = f"/chat/threads/19:acsV1_{43 * '0'}1@thread.v2"
Rows = list[tuple[Any, ...]]

_COUNTED = ("number", "topic", "metadata", "retention_days", "sequence", "version", "change", "joins", "present")
_STANDING = ("thread", "subject", "display_name", "history_millis", "removed_millis", "read_id", "read_millis")
_OF_ALIVE = "join threads t on t.number = {}.thread where t.deleted_millis is null order by 1, 2"
STORED = (
    "select number, deleted_millis from threads order by 1",
    f"select {', '.join(_COUNTED)} from threads where deleted_millis is null order by number",
    f"select {', '.join(f'p.{each}' for each in _STANDING)} from participants p {_OF_ALIVE.format('p')}",
    f"select m.* from messages m {_OF_ALIVE.format('m')}",
    "select max(id) from journal",
)
"""All that a request can change; but not what is done in the background, such as purging a thread that was deleted."""


@dataclass(frozen=True)
class World:
    """`tokens` by caller and membership; threads that are alive and deleted, with the same people in them."""

    cast: Cast
    tokens: dict[tuple[str, str], str]
    scenes: dict[str, Scene]
    foreign_thread: str
    rows: Callable[[], list[Rows]]

    def place(self, scene: Scene, membership: str, thread: str, message: str) -> Place:
        path = {"of another resource": self.foreign_thread, "unknown": UNKNOWN_THREAD}.get(thread, scene.path)
        id = scene.messages[membership][message]
        return Place(path, id, self.cast.guest.id, self.cast.target.id)

    def ask(self, row: Row, caller: str, membership: str, place: Place) -> Reply:
        method, target, body = row.ask(place)
        if caller == "access key":
            content = b"" if body is None else body
            return self.cast.client.call(method, f"{target}?api-version={row.version}", content)
        token = self.tokens[caller, membership]
        headers = {"Authorization": f"Bearer {token}"} if token else {"Authorization": ""}
        return self.cast.ada.ask(method, target, body, version=row.version, headers=headers)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server(Settings(request_log=False, tls=False, synchronous="OFF")) as running:
        yield running


@pytest.fixture(scope="module")
def matrix(server: RunningServer, other: OtherResource) -> Iterator[World]:
    with SignedClient(server) as client, looking(server) as query:
        cast = Cast(client, server, other)
        scenes = {"alive": cast.scene(), "deleted": cast.scene()}
        assert cast.ada.ask("DELETE", scenes["deleted"].path).status == 204
        foreign_thread = cast.foreign.new_thread()
        yield World(
            cast, _tokens(cast, server), scenes, foreign_thread,
            lambda: [query(sql) for sql in STORED],
        )  # fmt: skip


def _tokens(cast: Cast, server: RunningServer) -> dict[tuple[str, str], str]:
    """By caller and membership."""
    found = {("expired token", each): token for each, token in cast.expired.items()}
    found |= {("revoked token", each): token for each, token in cast.revoked.items()}
    for scope in scopes.ALL:
        for membership, user in cast.users.items():
            found[scope, membership] = cast.client.issue(user.id, {"scopes": [scope]}).json["token"]
    verifier = add_verifier(server, first_resource(server))
    others = {"nobody": "", "operator": server.operator_token, "verifier": verifier, FOREIGN: cast.foreign.token}
    return found | {(caller, NEVER): token for caller, token in others.items()}


def test_every_operation_has_a_row() -> None:
    declared = [each for each in all_operations() if each.path.startswith("/chat")]
    assert set(declared) == ROWS.keys(), "an operation of chat needs a row in tests/chat/matrix.py"


@pytest.mark.parametrize("operation", ROWS, ids=lambda each: each.id)
def test_everybody_gets_what_is_theirs_and_whoever_is_refused_changes_nothing(
    matrix: World, operation: Operation
) -> None:
    row = ROWS[operation]
    wrong: list[tuple[Any, ...]] = []
    shown: Counter[int] = Counter()
    cells = [(*cell, row.expected(*cell)) for cell in row.cells()]
    before = matrix.rows()
    for *cell, expected in sorted(cells, key=lambda each: each[-1] < 400):
        caller, membership, thread, message = cell
        if expected < 400 and before:
            assert matrix.rows() == before, "something that was refused has changed something"
            before = []
        scene = matrix.scenes["deleted" if thread == "deleted" else "alive"]
        if row.consumes and expected < 400 and thread == "alive":
            scene = matrix.cast.renewed(scene, membership, message)
        reply = matrix.ask(row, caller, membership, matrix.place(scene, membership, thread, message))
        shown[reply.status] += 1
        if reply.status != expected:
            wrong.append((*cell, expected, reply.status, reply.body))
        elif expected >= 400:
            refused(reply, expected)
            assert SECRET.encode() not in reply.body, cell
    assert wrong == []
    assert not before or matrix.rows() == before
    print(operation.id, dict(shown))


def test_a_cell_is_of_every_caller_membership_thread_and_message() -> None:
    cells = {cell for row in ROWS.values() for cell in row.cells()}
    assert {each[0] for each in cells} == set(CALLERS)
    assert {each[1] for each in cells} == set(MEMBERSHIPS)
    assert {each[2] for each in cells} == set(THREADS)
    assert {each[3] for each in cells} == {*MESSAGES, *AFTER}
