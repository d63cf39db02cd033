"""A node of the release before and one of this on one PostgreSQL, while the schema is brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.history.nodes import Node
from tests.support.polling import until
from tests.support.postgres import Cluster
from tests.support.releases import BEFORE, Reached, environment_of, migrate_under
from tests.support.signed import SignedClient
from tests.support.standing import is_live
from tests.support.talking import Talker
from watchword.server.installation import read_access_keys
from watchword.settings import load_settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture
def dsn(cluster: Cluster) -> str:
    return cluster.fresh()


@pytest.fixture
def nodes(tmp_path: Path, dsn: str) -> Iterator[tuple[Node, Node]]:
    """One of the release before, which made the schema, and one of this."""
    here = {"WATCHWORD_DATABASE": dsn, "WATCHWORD_ENCRYPTION_KEY": KEY}
    old = Node(tmp_path / "old", here | environment_of(BEFORE, tmp_path / "program"))
    new = Node(tmp_path / "new", here)
    with ExitStack() as stack:
        for node in (old, new):
            stack.callback(node.stop)
            node.start()
        yield old, new


def test_both_serve_chat_before_and_after_the_schema_is_brought_up_to_date(
    nodes: tuple[Node, Node], dsn: str, tmp_path: Path
) -> None:
    old, _ = nodes
    settings = load_settings({"WATCHWORD_DATABASE": dsn, "WATCHWORD_ENCRYPTION_KEY": KEY})
    primary, secondary = read_access_keys(settings, tmp_path)
    with SignedClient(Reached(old.address[1], (primary.secret, secondary.secret))) as client:
        users = [client.new_identity() for _ in range(2)]
        ada, ben = (Talker(node.address[1], client.new_token(user)) for node, user in zip(nodes, users, strict=True))
        thread = ada.new_thread(users[1])
        sent = [ben.send(thread, "secret").status, ada.send(thread, "hello").status]
        migrate_under(dsn)
        sent += [ben.send(thread, "secret").status, ada.send(thread, "hello").status]
        assert sent == [201] * 4
        assert [each["content"]["message"] for each in ben.messages(thread)[:4]] == ["hello", "secret"] * 2
        assert client.delete(users[1]).status == 204
        assert is_live(client, ada.token)
    assert ben.send(thread, "more").status == 401
    until(lambda: ada.participants(thread), lambda found: found == [users[0]])
    until(lambda: "secret" in str(ada.messages(thread)), lambda found: not found)
