"""`watchword verifier`: credentials that are good for asking which tokens are valid, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_resources, complete_verifiers
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import format_moment, json_option, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.errors import OperatorError
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.resources.store import Resource
    from watchword.storage import Transaction


@click.group(cls=ExplainedGroup)
def verifier() -> None:
    """Create, list and delete credentials for verifiers of access tokens."""


@verifier.command()
@click.option(
    "--resource",
    metavar="NAME",
    shell_complete=complete_resources,
    help="Whose tokens it may ask about; by default the only resource.",
)
@json_option
@with_settings(("data",))
def create(settings: Settings, resource: str | None, as_json: bool) -> None:
    """Create a credential, and show it this one time."""
    from watchword.cli.data_folder import choose_resource, transact
    from watchword.resources.store import list_resources
    from watchword.resources.verifier_credentials import create_verifier_credential

    async def work(transaction: Transaction) -> tuple[Resource, str]:
        chosen = choose_resource(await list_resources(transaction), resource)
        return chosen, await create_verifier_credential(transaction, chosen, SystemClock().micros())

    chosen, credential = transact(settings, work)
    if as_json:
        print_json({"id": credential.split("_")[1], "resource": chosen.name, "credential": credential})
        return
    say(f"For tokens of the resource {chosen.name}. Keep it now: it is not shown again.")
    print(credential)


@verifier.command("list")
@json_option
@with_settings(("data",))
def list_all(settings: Settings, as_json: bool) -> None:
    """List the credentials, without their secrets."""
    from watchword.cli.data_folder import transact
    from watchword.resources.verifier_credentials import list_verifier_credentials

    found = transact(settings, list_verifier_credentials)
    if as_json:
        print_json(
            [{"id": each.id, "resource": each.resource, "created": to_datetime(each.created_micros)} for each in found]
        )
        return
    rows = [(each.id, each.resource, format_moment(to_datetime(each.created_micros))) for each in found]
    print_table(("id", "resource", "created"), rows)


@verifier.command()
@click.option(
    "--id",
    required=True,
    shell_complete=complete_verifiers,
    help="Id of the credential, as `watchword verifier list` shows it.",
)
@yes_option
@with_settings(("data",))
def delete(settings: Settings, id: str, yes: bool) -> None:
    """Delete a credential. It is refused from then on, and whoever follows the feed with it is cut off."""
    from watchword.cli.data_folder import transact
    from watchword.resources.verifier_credentials import PREFIX, delete_verifier_credential

    # Whoever has only the credential itself at hand need not take it apart.
    id = id.removeprefix(f"{PREFIX}_").partition("_")[0]
    require_consent(f"Delete the verifier credential {id}?", yes)
    if not transact(settings, lambda transaction: delete_verifier_credential(transaction, id)):
        raise OperatorError(
            f"There is no verifier credential {id}.", "`watchword verifier list` shows those there are."
        )
    say(f"Deleted the verifier credential {id}.")
