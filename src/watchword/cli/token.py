"""`watchword token`: what `az communication user-identity token` does, and a look inside a token."""

from __future__ import annotations

from datetime import timedelta

import click

from watchword.cli.completion import complete_identities, complete_scopes
from watchword.cli.connection import connected, connection_options, find_connection, read_secret
from watchword.cli.help_pages import ExplainedGroup
from watchword.cli.output import fact_lines, format_moment, json_option, print_facts, print_json
from watchword.cli.questions import require_consent, yes_option
from watchword.errors import OperatorError
from watchword.server.terminal import say


@click.group(cls=ExplainedGroup)
def token() -> None:
    """Issue, revoke, verify and inspect access tokens."""


@token.command()
@click.option(
    "--scope",
    multiple=True,
    required=True,
    shell_complete=complete_scopes,
    help="chat, voip, chat.join, chat.join.limited or voip.join; several with blanks or commas between them, "
    "or with a flag for each.",
)
@click.argument("more_scopes", nargs=-1, metavar="[SCOPE]...")
@click.option(
    "--user",
    metavar="ID",
    shell_complete=complete_identities,
    help="The identity; without it a new one is created.",
)
@click.option("--expires-in-minutes", type=int, help="The token's lifetime, 60 to 1440 minutes; default 1440.")
@json_option
@connection_options
def issue(
    scope: tuple[str, ...],
    more_scopes: tuple[str, ...],
    user: str | None,
    *,
    expires_in_minutes: int | None,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Issue an access token, to a new identity where none is given.

    The token alone goes to standard output, and whom it is for to standard error.
    """
    scopes = [part.strip() for text in (*scope, *more_scopes) for part in text.split(",") if part.strip()]
    lifetime = timedelta(minutes=expires_in_minutes) if expires_in_minutes is not None else None
    with connected(connection_string, connection_string_file) as client:
        if user is None:
            created, issued = client.create_user_and_token(scopes, token_expires_in=lifetime)
            user = created.id
        else:
            issued = client.get_token(user, scopes, token_expires_in=lifetime)
    if as_json:
        print_json({"expires_on": issued.expires_on, "token": issued.token, "user_id": user})
        return
    facts = [("identity", user), ("scopes", ", ".join(scopes)), ("expires", format_moment(issued.expires_on))]
    say("\n".join(fact_lines(facts)))
    print(issued.token)


@token.command()
@click.option(
    "--user",
    metavar="ID",
    shell_complete=complete_identities,
    help="The identity, all of whose tokens so far are revoked.",
)
@click.option("--token", "text", help="The one token to revoke; - reads it from standard input.")
@click.option("--token-id", metavar="ID", help="The one token to revoke, by the id that `token inspect` shows.")
@yes_option
@connection_options
def revoke(
    user: str | None,
    text: str | None,
    token_id: str | None,
    *,
    yes: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Revoke one access token, or every one that was issued to an identity so far."""
    if sum(value is not None for value in (user, text, token_id)) != 1:
        raise click.UsageError("Name what to revoke with one of --user, --token and --token-id.")
    what = f"all access tokens of {user}" if user else "the token" if text else f"the token {token_id}"
    require_consent(f"Revoke {what}?", yes)
    with connected(connection_string, connection_string_file) as client:
        if user is not None:
            client.revoke_tokens(user)
        else:
            client.revoke_token(read_secret("-") if text == "-" else text, token_id=token_id)
    say(f"Revoked {what}.")


@token.command()
@click.argument("text", required=False, metavar="[TOKEN]")
@click.option("--token-file", help="File that holds the token; - is standard input, as it is without a token.")
@json_option
@connection_options
def verify(
    text: str | None,
    token_file: str | None,
    as_json: bool,
    *,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Say whether an access token is valid, and if not, which check it fails and what to do."""
    from watchword.cli.token_verification import Refusal, judge

    shown = text if text and text != "-" else read_secret(token_file or "-")
    found = judge(shown, find_connection(connection_string, connection_string_file))
    if isinstance(found, Refusal):
        if as_json:
            print_json({"valid": False, "check": found.check, "reason": found.reason})
            raise click.exceptions.Exit(1)
        raise OperatorError(f"The token is refused at the check `{found.check}`: {found.reason}", found.remedy)
    if as_json:
        print_json(
            {
                "valid": True,
                "identity": found.identity,
                "resource": found.resource,
                "scopes": sorted(found.scopes),
                "issued": found.issued,
                "expires": found.expires,
                "token_id": found.token_id,
            }
        )
        return
    print_facts(
        [
            ("identity", found.identity),
            ("resource", found.resource),
            ("scopes", ", ".join(sorted(found.scopes))),
            ("issued", format_moment(found.issued)),
            ("expires", format_moment(found.expires)),
            ("token id", found.token_id),
        ]
    )
    say("The token is valid: as a verifier elsewhere judges it, and by the word of the service itself.")


@token.command()
@click.argument("text", required=False, metavar="[TOKEN]")
@click.option("--token-file", help="File that holds the token; - is standard input, as it is without a token.")
@json_option
def inspect(text: str | None, token_file: str | None, as_json: bool) -> None:
    """Decode an access token and say what it claims. This proves nothing: anybody can write a token."""
    from watchword.cli.token_words import decode, describe
    from watchword.clock import SystemClock, to_datetime

    decoded = decode(text if text and text != "-" else read_secret(token_file or "-"))
    if as_json:
        print_json({"verified": False, "header": decoded.header, "claims": decoded.claims})
        return
    print_facts(describe(decoded, to_datetime(SystemClock().micros())))
    print("\nThis was decoded, not verified: whether it was really issued, and was not revoked, is not known from it.")
