"""`watchword keys`: the keys that sign access tokens, and the one that encrypts. A running server follows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from watchword.cli.completion import complete_signing_keys
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import format_moment, json_option, print_json, print_table
from watchword.cli.questions import require_consent, yes_option
from watchword.cli.setting_flags import with_settings
from watchword.clock import SystemClock, to_datetime
from watchword.server.terminal import say
from watchword.settings import Settings

if TYPE_CHECKING:
    from watchword.keyring.keyring import Keyring
    from watchword.keyring.store import SigningKeyRow
    from watchword.storage import Transaction

# A key id may begin with a dash, so it is the value of an option and no argument.
_key_option = click.option(
    "--key-id",
    required=True,
    metavar="ID",
    shell_complete=complete_signing_keys,
    help="Id of the key, as `watchword keys list` shows it.",
)
_OF_A_DATA_FOLDER = ("data", "encryption_key_file")
_MAKING = (*_OF_A_DATA_FOLDER, "signing_algorithm", "key_publish_ahead")


@click.group(cls=ExplainedGroup)
def keys() -> None:
    """List, rotate, retire and revoke the keys that sign access tokens."""


@keys.command("list")
@json_option
@with_settings(_OF_A_DATA_FOLDER)
def list_all(settings: Settings, as_json: bool) -> None:
    """List the signing keys, in the order in which they sign."""
    from watchword.cli.data_folder import transact_with_keyring
    from watchword.keyring import signing_keys

    found = transact_with_keyring(settings, signing_keys.list_keys)
    if as_json:
        print_json([_fields(row) | {"state": state} for row, state in found])
        return
    rows = [
        (row.kid, row.algorithm, state, format_moment(to_datetime(row.signs_from_micros)), _end(row))
        for row, state in found
    ]
    print_table(("key id", "algorithm", "state", "signs from", "retired or revoked"), rows)


@keys.command()
@click.option(
    "--now",
    is_flag=True,
    help="Sign with it at once; verifiers that fetch keys by the clock refuse its tokens for 5 minutes to 12 h.",
)
@json_option
@with_settings(_MAKING)
def rotate(settings: Settings, now: bool, as_json: bool) -> None:
    """Publish the next signing key. It signs once verifiers have had time to fetch it."""
    from watchword.cli.data_folder import transact_with_keyring
    from watchword.keyring import signing_keys

    async def work(transaction: Transaction, keyring: Keyring) -> SigningKeyRow:
        return await signing_keys.rotate(transaction, keyring, at_once=now)

    row = transact_with_keyring(settings, work)
    if as_json:
        print_json(_fields(row))
    else:
        signs_from = to_datetime(row.signs_from_micros)
        say(f"The key {row.kid} is published, and signs from {format_moment(signs_from)}.")
        if signs_from > to_datetime(SystemClock().micros()):
            say(signing_keys.AT_ONCE)


@keys.command()
@_key_option
@with_settings(_MAKING)
def retire(settings: Settings, key_id: str) -> None:
    """Stop signing with a key at once; the tokens that it signed stay valid."""
    from watchword.cli.data_folder import transact_with_keyring
    from watchword.keyring import signing_keys

    transact_with_keyring(settings, lambda transaction, keyring: signing_keys.retire(transaction, keyring, key_id))
    say(f"The key {key_id} signs no more; what it signed stays valid.")


@keys.command()
@_key_option
@yes_option
@with_settings(_MAKING)
def revoke(settings: Settings, key_id: str, yes: bool) -> None:
    """Revoke a key that leaked: every access token that it signed is dead."""
    from watchword.cli.data_folder import transact_with_keyring
    from watchword.keyring import signing_keys

    require_consent(f"Revoke the key {key_id}, and with it every access token that it signed?", yes)
    transact_with_keyring(settings, lambda transaction, keyring: signing_keys.revoke(transaction, keyring, key_id))
    say(f"Revoked the key {key_id}, and every access token that it signed.")


@keys.command()
@yes_option
@json_option
@with_settings(_OF_A_DATA_FOLDER)
def rewrap(settings: Settings, yes: bool, as_json: bool) -> None:
    """Change the key that encrypts secrets at rest: access keys and signing keys are encrypted with the next one.

    The secrets themselves stay what they are, and servers run on. What was backed up before needs the former key.
    """
    from watchword.cli.key_change import change_key, describe_change

    require_consent("Change the encryption key? Backups from before need the former one, which is kept nowhere.", yes)
    change = change_key(settings)
    if as_json:
        counts = change.rewrapped
        print_json(
            {
                "changed": counts is not None,
                "access_keys": counts.access_keys if counts else 0,
                "signing_keys": counts.signing_keys if counts else 0,
                "key_file": str(change.key_file) if change.key_file else None,
            }
        )
        return
    for sentence in describe_change(settings, change):
        say(sentence)


def _fields(row: SigningKeyRow) -> dict[str, object]:
    """Everything but the key itself."""
    moments = {
        "published": row.created_micros,
        "signs_from": row.signs_from_micros,
        "retired": row.retired_micros,
        "revoked": row.revoked_micros,
    }
    return {"key_id": row.kid, "algorithm": row.algorithm} | {
        name: None if micros is None else to_datetime(micros) for name, micros in moments.items()
    }


def _end(row: SigningKeyRow) -> str:
    if row.revoked_micros is not None:
        return f"revoked {format_moment(to_datetime(row.revoked_micros))}"
    if row.retired_micros is not None:
        return f"retired {format_moment(to_datetime(row.retired_micros))}"
    return "-"
