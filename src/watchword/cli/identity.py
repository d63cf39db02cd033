"""`watchword identity`: what `az communication user-identity` does, and showing and listing besides."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_identities
from watchword.cli.connection import connected, connection_options
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import (
    format_moment,
    json_option,
    print_facts,
    print_json,
    print_json_list,
    print_table,
)
from watchword.cli.questions import require_consent, yes_option
from watchword.server.terminal import say

if TYPE_CHECKING:
    from watchword.client import Identity

_PAGE = 1_000

user_option = click.option(
    "--user",
    required=True,
    metavar="ID",
    shell_complete=complete_identities,
    help="The identity, such as 8:acs:...",
)


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value).astimezone()
    except (ValueError, OverflowError):
        message = f"{value!r} is no moment; write it like 2026-11-21 or 2026-11-21T01:14:27Z."
        raise click.BadParameter(message, context, parameter) from None


@click.group(cls=ExplainedGroup)
def identity() -> None:
    """Create, show, list and delete identities."""


@identity.command()
@click.option("--custom-id", help="Your own id for it; the identity that has it already is returned instead.")
@json_option
@connection_options
def create(
    custom_id: str | None, as_json: bool, connection_string: str | None, *, connection_string_file: str | None
) -> None:
    """Create an identity."""
    with connected(connection_string, connection_string_file) as client:
        created = client.create_user(custom_id=custom_id)
    if as_json:
        print_json(_fields(created))
    else:
        print(created.id)


@identity.command()
@user_option
@json_option
@connection_options
def show(user: str, as_json: bool, connection_string: str | None, *, connection_string_file: str | None) -> None:
    """Show an identity: its custom id, and when it was last issued a token."""
    with connected(connection_string, connection_string_file) as client:
        shown = client.get_user(user)
    if as_json:
        print_json(_fields(shown))
        return
    last_token = format_moment(shown.last_token_issued)
    print_facts([("identity", shown.id), ("custom id", shown.custom_id or "-"), ("last token", last_token)])


@identity.command("list")
@click.option("--custom-id", help="Only the one with this custom id.")
@click.option("--created-after", callback=_moment, help="Only those created then or later; local time without a zone.")
@click.option("--created-before", callback=_moment, help="Only those created before then.")
@click.option("--limit", type=click.IntRange(min=1), help="How many at the most.")
@json_option
@connection_options
def list_all(
    custom_id: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    *,
    limit: int | None,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """List the identities of the resource, oldest first. Azure cannot list them."""
    with connected(connection_string, connection_string_file) as client:
        # A page is shown before the next is asked for: there may be more of them than fit into memory.
        listed = itertools.islice(
            client.list_users(
                custom_id=custom_id,
                created_after=created_after,
                created_before=created_before,
                page_size=min(limit or _PAGE, _PAGE),
            ),
            limit,
        )
        if as_json:
            print_json_list(map(_fields, listed))
        else:
            print_table(("identity", "custom id", "created", "last token"), map(_row, listed))


@identity.command()
@user_option
@yes_option
@connection_options
def delete(user: str, yes: bool, connection_string: str | None, *, connection_string_file: str | None) -> None:
    """Delete an identity with all its data. Its access tokens are refused from then on."""
    require_consent(f"Delete the identity {user}, its data and its access tokens?", yes)
    with connected(connection_string, connection_string_file) as client:
        client.delete_user(user)
    say(f"Deleted {user}.")


def _row(identity: Identity) -> tuple[str, str, str, str]:
    return (
        identity.id,
        identity.custom_id or "-",
        format_moment(identity.created),
        format_moment(identity.last_token_issued),
    )


def _fields(identity: Identity) -> dict[str, str | datetime | None]:
    return {
        "id": identity.id,
        "custom_id": identity.custom_id,
        "created": identity.created,
        "last_token_issued": identity.last_token_issued,
    }
