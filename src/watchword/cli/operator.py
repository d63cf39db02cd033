"""`watchword operator`: who may call the management API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_operators
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import format_moment, json_option, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.errors import OperatorError
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.resources.operators import Role


@click.group(cls=ExplainedGroup)
def operator() -> None:
    """Create, list and delete tokens for the management API."""


@operator.command()
@click.option("--name", "-n", required=True, help="Who holds it, for people to read.")
@click.option(
    "--role",
    type=click.Choice(["reader", "contributor"]),
    default="contributor",
    help="A reader sees all but secrets; a contributor does everything.",
)
@json_option
@with_settings(("data",))
def create(settings: Settings, name: str, role: Role, *, as_json: bool) -> None:
    """Create an operator's token, and show it this one time."""
    from watchword.cli.data_folder import transact
    from watchword.resources.operators import create_operator

    token = transact(
        settings, lambda transaction: create_operator(transaction, name, role, now_micros=SystemClock().micros())
    )
    if as_json:
        print_json({"id": token.id, "name": name, "role": role, "token": str(token)})
        return
    say(f"Of the {role} {name}. Keep it now: it is not shown again.")
    print(token)


@operator.command("list")
@json_option
@with_settings(("data",))
def list_all(settings: Settings, as_json: bool) -> None:
    """List the operators, without their secrets."""
    from watchword.cli.data_folder import transact
    from watchword.resources.operators import list_operators

    found = transact(settings, list_operators)
    if as_json:
        print_json(
            [
                {"id": each.id, "name": each.name, "role": each.role, "created": to_datetime(each.created_micros)}
                for each in found
            ]
        )
        return
    rows = [(each.id, each.name, each.role, format_moment(to_datetime(each.created_micros))) for each in found]
    print_table(("id", "name", "role", "created"), rows)


@operator.command()
@click.option(
    "--id",
    required=True,
    shell_complete=complete_operators,
    help="Id of the operator, as `watchword operator list` shows it.",
)
@yes_option
@with_settings(("data",))
def delete(settings: Settings, id: str, yes: bool) -> None:
    """Delete an operator. The token is refused from then on."""
    from watchword.cli.data_folder import transact
    from watchword.resources.operators import PREFIX, delete_operator

    # Whoever has only the token itself at hand need not take it apart.
    id = id.removeprefix(f"{PREFIX}_").partition("_")[0]
    require_consent(f"Delete the operator {id}?", yes)
    if not transact(settings, lambda transaction: delete_operator(transaction, id)):
        raise OperatorError(f"There is no operator {id}.", "`watchword operator list` shows those there are.")
    say(f"Deleted the operator {id}.")
