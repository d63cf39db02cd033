"""A transaction says what it locks, and awaits nothing but the database while it holds it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import watchword

SOURCE = Path(watchword.__file__).parent

IN_TURN = {
    "ground.py": "the first start of all",
    "cli": "operators, and their commands",
    "entra/development.py": "the first role, given as an operator would",
    "management": "the management API",
    "resources/deletion.py": "what the management API or a command has begun",
    "storage/database.py": "it is made there",
    "transfer/imports.py": "a whole database that nobody is served from",
}
"""Who takes the global turn."""

BESIDE_OLDER = {
    "entra/assignments.py": "an older node that lets a user in, or changes the same assignment",
    "keyring/keyring.py": "an older node that changes the encryption key, or makes a key as well",
    "storage/database.py": "it is made there",
    "subjects/exchanged_users.py": "an older node that takes an assignment away",
}
"""Who keeps the turn from nodes of releases that know nothing else, and whom it must not meet half-way."""

LOOKING = {
    "management/groups.py",
    "management/holdings.py",
    "server/announcement.py",
    "server/data_owner.py",
    "server/installation.py",
    "storage/new_table.py",
    "testing/server.py",
}
"""Where a transaction locks nothing, for it changes nothing."""

ONLY_DELETING = {
    "journal/purge.py": "entries never change, and whoever deletes the same ones meanwhile did it as well",
    "realtime/store.py": "of what nobody comes back to, by its age; whoever comes all the same allocates anew",
}
"""Where nothing has to be locked before it goes."""

OTHERS = {
    "storage/sqlite_writer.py: work": "of another process, which says each step; one that says nothing loses its turn",
}
"""What awaits more than the database, each with the reason."""


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8"))


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _modules_that_name(name: str) -> set[str]:
    return {module for module, tree in _trees() if name in _names(tree)}


def _transacting(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "transact":
                yield node


def _transaction_of(function: ast.AsyncFunctionDef | ast.Lambda) -> str | None:
    """The name of the parameter that is a transaction."""
    for each in function.args.args:
        if isinstance(each.annotation, ast.Name) and each.annotation.id == "Transaction":
            return each.arg
    return None


HELD = "held"
"""A thread of chat whose row the transaction holds; it speaks to the same transaction."""

HANDED_ON = {"chat/store.py": "what it is handed holds threads as it goes, each before anything of it is changed"}
"""Where a transaction is begun for others, who say what they lock."""


def _is_of(value: ast.expr, transaction: str) -> bool:
    """Whether it is a call of the transaction, or one that is handed it."""
    if not isinstance(value, ast.Call):
        return False
    handed = [*value.args, *(each.value for each in value.keywords)]
    callee = value.func
    while isinstance(callee, ast.Attribute):
        callee = callee.value
    return any(isinstance(each, ast.Name) and each.id in (transaction, HELD) for each in (callee, *handed))


def _awaits_more(function: ast.AsyncFunctionDef, transaction: str) -> bool:
    for node in ast.walk(function):
        if isinstance(node, ast.Await) and not _is_of(node.value, transaction):
            return True
        if isinstance(node, ast.AsyncFor | ast.AsyncWith):
            return True
    return False


def test_only_whoever_manages_the_server_takes_the_turn() -> None:
    found = _modules_that_name("TURN")
    assert {module.split("/")[0] if module.split("/")[0] in IN_TURN else module for module in found} == IN_TURN.keys()


def test_the_turn_is_kept_from_older_nodes_only_where_it_says_why() -> None:
    assert _modules_that_name("BESIDE_OLDER") == BESIDE_OLDER.keys()


def test_whatever_changes_something_says_what_it_locks() -> None:
    silent = {module for module, tree in _trees() for call in _transacting(tree) if len(call.args) == 1}
    # The commands' own function of that name takes the turn; the writer of SQLite carries out what others lock.
    assert {each for each in silent if not each.startswith("cli/")} == (
        LOOKING | HANDED_ON.keys() | ONLY_DELETING.keys() | {"storage/sqlite_writer.py"}
    )


def test_a_transaction_awaits_nothing_but_the_database() -> None:
    looked_at, found = 0, set()
    for module, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef) and (transaction := _transaction_of(node)):
                looked_at += 1
                if _awaits_more(node, transaction):
                    found.add(f"{module}: {node.name}")
    assert found == OTHERS.keys()
    assert looked_at > 50


def test_a_lambda_that_is_a_transaction_is_one_call_of_it() -> None:
    found = set()
    for module, tree in _trees():
        for call in _transacting(tree):
            for each in call.args[:1]:
                if isinstance(each, ast.Lambda) and not _is_of(each.body, each.args.args[0].arg):
                    found.add(f"{module}:{each.lineno}")
    assert found == set()
