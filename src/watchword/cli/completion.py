"""Values that the shell completes: names and ids out of the data directory that the command would work on.

What cannot be read completes nothing: a shell is no place for a complaint while somebody types.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from watchword.settings import Settings
    from watchword.storage import Transaction

Complete = Callable[[click.Context, click.Parameter, str], list[str]]

MOST_IDENTITIES = 50
"""Of each resource: what fits on a screen. Whoever types more of an id sees those that begin with it."""

SCOPES = ("chat", "chat.join", "chat.join.limited", "voip", "voip.join")


def complete_scopes(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The scopes that a current api-version knows."""
    del context, parameter
    return [scope for scope in SCOPES if scope.startswith(incomplete)]


def complete_resources(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from watchword.resources.store import list_resources

    del parameter
    return _matching(context, incomplete, list_resources, name_of=lambda each: str(each.name))


def complete_groups(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from watchword.resources.groups import list_groups

    del parameter
    return _matching(context, incomplete, list_groups, name_of=lambda each: str(each.name))


def complete_operators(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from watchword.resources.operators import list_operators

    del parameter
    return _matching(context, incomplete, list_operators, name_of=lambda each: str(each.id))


def complete_verifiers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from watchword.resources.verifier_credentials import list_verifier_credentials

    del parameter
    return _matching(context, incomplete, list_verifier_credentials, name_of=lambda each: str(each.id))


def complete_principals(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Those that have a role already."""
    from watchword.entra.store import list_roles

    del parameter
    return _matching(context, incomplete, list_roles, name_of=lambda each: str(each.principal))


def complete_identities(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The oldest that begin like this, of each resource of the server that the command would speak to."""
    import asyncio

    from watchword.server.folders import find_folders
    from watchword.server.running import find_one
    from watchword.settings import load_settings

    del parameter
    try:
        server = find_one(find_folders().running, context.params.get("port"), context.params.get("data"))
        return asyncio.run(_identities(load_settings(data=server.data), server.data, incomplete.lower()))
    except Exception:  # noqa: BLE001 - whatever it is, the shell completes nothing.
        return []


async def _identities(settings: Settings, data: Path, incomplete: str) -> list[str]:
    from watchword.identifiers import IdentityId
    from watchword.identity.store import IdentityStore
    from watchword.resources.store import list_resources
    from watchword.server.installation import opened_database

    found: list[str] = []
    async with opened_database(settings, data) as database:
        for resource in await database.transact(list_resources):
            typed = incomplete.removeprefix(str(IdentityId(resource.id, b"")))
            digits = typed.replace("-", "") if typed != incomplete else ""
            # Both ends are left out of what is listed, so each lies one beside what was typed.
            after = max(int(digits.ljust(32, "0"), 16) - 1, 0).to_bytes(16, "big")
            before = min(int(digits.ljust(32, "f"), 16) + 1, 2**128 - 1).to_bytes(16, "big")
            rows = await IdentityStore(database).list(
                resource.number, after=after, before=before, custom_id=None, most=MOST_IDENTITIES
            )
            found += [str(IdentityId(resource.id, row.flake)) for row in rows]
    return [each for each in found if each.startswith(incomplete)]


def complete_signing_keys(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    from watchword.keyring.store import list_keys

    del parameter
    return _matching(context, incomplete, list_keys, name_of=lambda each: str(each.kid))


def _matching(
    context: click.Context,
    incomplete: str,
    find: Callable[[Transaction], Awaitable[Iterable[Any]]],
    *,
    name_of: Callable[[Any], str],
) -> list[str]:
    from watchword.cli.data_folder import find_running, own_data_of, transact
    from watchword.settings import load_settings

    try:
        settings = load_settings(data=context.params.get("data"))
        running = find_running(settings)
        settings = replace(settings, data=running.data if running else own_data_of(settings))
        return [name for name in map(name_of, transact(settings, find)) if name.startswith(incomplete)]
    except Exception:  # noqa: BLE001 - whatever it is, the shell completes nothing.
        return []
