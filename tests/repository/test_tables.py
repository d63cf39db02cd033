"""Only its owner writes a table: every insert, update and delete stands in the package that owns the rows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import watchword
from tests.support.engines import Place
from watchword.chat.limits import ChatLimits
from watchword.chat.purges import Purges
from watchword.chat.store import ChatStore
from watchword.identity.store import identities_of_resource
from watchword.realtime.store import RegistrationStore
from watchword.storage import Database
from watchword.subjects.exchanged_users import users_of_resource
from watchword.transfer.tables import LEFT_OUT, TABLES

SOURCE = Path(watchword.__file__).parent

OWNERS = {
    "access_keys": "resources",
    "clock": "storage",
    "custom_ids": "identity",
    "departures": "chat",
    "exchange_assignments": "entra",
    "exchanged_users": "subjects",
    "feed": "revocations",
    "history_imports": "chat",
    "identities": "identity",
    "imports": "transfer",
    "journal": "journal",
    "key_check": "keyring",
    "management_roles": "entra",
    "messages": "chat",
    "operators": "resources",
    "participants": "chat",
    "registrations": "realtime",
    "resource_groups": "resources",
    "resources": "resources",
    "restrictions": "chat",
    "revocations": "revocations",
    "role_assignments": "entra",
    "schema_version": "storage",
    "signing_keys": "keyring",
    "spent_tickets": "realtime",
    "sqlite_sequence": "transfer",
    "threads": "chat",
    "turn": "storage",
    "verifier_credentials": "resources",
}
"""Which package writes the rows of each table. What triggers write is not counted: they stand in the schema."""

NAMED_BY_OTHERS = {
    "storage/sqlite.py": "`load`: an import reads whole tables into an empty database, whoever owns them",
    "storage/sqlite_worker.py": "the same, where another process writes",
    "transfer/store.py": "rows that are made with the schema: an import gives them what the export says",
}
"""Where a table's name is filled in while the program runs, each with the reason."""

KEPT = {
    "journal": "its entries go by a statement of its own, once chat has purged the threads that they are about",
    "revocations": "they outlive the tokens of a resource that is gone, and go when they have expired",
}

WRITES = re.compile(r"\b(?:insert\s+into|update|delete\s+from)\s+(?:only\s+)?(\{|[a-z_]+)", re.IGNORECASE)


def _texts(tree: ast.AST) -> Iterator[str]:
    """Every piece of text but docstrings; what is filled in shows as a brace."""
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed.update(id(part) for part in node.values)
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.value


def written() -> Iterator[tuple[str, str]]:
    """Modules, and the tables that they write; a brace where the name is filled in."""
    for path in sorted(SOURCE.rglob("*.py")):
        module = path.relative_to(SOURCE).as_posix()
        for text in _texts(ast.parse(path.read_text("utf-8"))):
            for found in WRITES.finditer(text):
                if (table := found.group(1).lower()) == "{" or table in OWNERS:
                    yield module, table


def test_only_its_owner_writes_a_table() -> None:
    foreign = {
        f"{module} writes {table}, which is {OWNERS[table]}'s"
        for module, table in written()
        if table != "{" and module.split("/")[0] != OWNERS[table]
    }
    assert foreign == set()


def test_every_table_that_is_written_was_found() -> None:
    """So that the search itself is known to see."""
    made_by_the_schema = {"turn"}
    assert {table for _, table in written()} - {"{"} == OWNERS.keys() - made_by_the_schema


def test_a_table_is_named_while_the_program_runs_only_where_it_says_why() -> None:
    assert {module for module, table in written() if table == "{"} == NAMED_BY_OTHERS.keys()


def test_every_table_has_an_owner() -> None:
    left_out = {name for name in LEFT_OUT if "." not in name}
    assert {table.name for table in TABLES} | left_out | {"sqlite_sequence"} == OWNERS.keys()


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
async def test_whatever_is_kept_of_a_resource_goes_with_it(database: Database, place: Place) -> None:
    """By a purge of its owner, or with the row of the resource that it refers to."""
    of_a_resource = "select table_name from information_schema.columns c where table_schema = current_schema"
    of_a_resource += " and column_name = 'resource' and not exists ("
    of_a_resource += "select from pg_inherits where inhrelid = to_regclass(c.table_name))"
    cascading = "select conrelid::regclass::text from pg_constraint where contype = 'f' and confdeltype = 'c'"
    cascading += " and confrelid = to_regclass('resources')"
    kept = {table for (table,) in await database.query(of_a_resource)}
    going = {table for (table,) in await database.query(cascading)}
    chat = Purges(ChatStore(database, lambda: None), ChatLimits()).purge
    realtime = RegistrationStore(database).purge_of_resources
    purges = (identities_of_resource(database), users_of_resource(database), chat, realtime)
    # Messages are found by their threads.
    purged = {table for purge in purges for table in purge.tables} - {"messages"}
    assert kept == going | purged | KEPT.keys()
    for purge in purges:
        assert len({OWNERS[table] for table in purge.tables}) == 1
