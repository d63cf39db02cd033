"""`watchword token`: what `az communication user-identity token` does, and a look inside a token."""

from __future__ import annotations

from datetime import timedelta

import click

from watchword.cli.connection import connected, connection_options, read_secret
from watchword.cli.identity import user_option
from watchword.cli.output import format_moment, json_option, print_facts, print_json, say
from watchword.cli.questions import require_consent, yes_option


@click.group()
def token() -> None:
    """Issue, revoke and inspect access tokens."""


@token.command()
@click.option(
    "--scope",
    multiple=True,
    required=True,
    help="chat, voip, chat.join, chat.join.limited or voip.join; several with blanks or commas between them, "
    "or with a flag for each.",
)
@click.argument("more_scopes", nargs=-1, metavar="[SCOPE]...")
@click.option("--user", metavar="ID", help="The identity; without it a new one is created.")
@click.option("--expires-in-minutes", type=int, help="The token's lifetime, 60 to 1440 minutes; default 1440.")
@json_option
@connection_options
def issue(
    scope: tuple[str, ...],
    more_scopes: tuple[str, ...],
    user: str | None,
    expires_in_minutes: int | None,
    as_json: bool,
    connection_string: str | None,
    connection_string_file: str | None,
) -> None:
    """Issue an access token, to a new identity where none is given."""
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
    print_facts([("identity", user), ("scopes", ", ".join(scopes)), ("expires", format_moment(issued.expires_on))])
    print(f"\n{issued.token}")


@token.command()
@user_option
@yes_option
@connection_options
def revoke(user: str, yes: bool, connection_string: str | None, connection_string_file: str | None) -> None:
    """Revoke every access token that was issued to an identity so far."""
    require_consent(f"Revoke all access tokens of {user}?", yes)
    with connected(connection_string, connection_string_file) as client:
        client.revoke_tokens(user)
    say(f"Revoked all access tokens of {user}.")


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
