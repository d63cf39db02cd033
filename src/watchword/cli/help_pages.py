"""How help is laid out: commands and options in groups, and examples under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

COMMAND_GROUPS: Mapping[str, Sequence[str]] = {
    "Run a service": ("dev", "serve", "quickstart"),
    "Point programs at it": ("env", "trust", "entra"),
    "Identities and access tokens": ("identity", "token"),
    "Chat": ("chat",),
    "Resources, and who may call": ("group", "resource", "operator", "verifier", "role"),
    "Keys and data": ("keys", "export", "import", "migrate"),
    "When something is wrong": ("doctor", "health", "clock", "settings"),
}

SETTING_GROUPS: Mapping[str, Sequence[str]] = {
    "Where it listens": (
        "host", "port", "workers", "operator_host", "operator_port", "public_endpoint", "host_names",
        "trusted_proxies", "cors_origins", "hsts",
    ),
    "TLS": ("tls", "certificate", "certificate_key", "tls_suffix", "tls_names"),
    "Data": (
        "data", "resource_name", "data_location", "resource_suffix", "start_anew", "synchronous",
        "encryption_key_file",
    ),
    "PostgreSQL": ("database_pool", "database_batch", "database_statement_cache", "database_timeout"),
    "Access tokens": ("signing_algorithm", "key_lifetime", "key_publish_ahead", "issuer_and_audience"),
    "Chat": (
        "chat_participants", "chat_batch", "chat_message_bytes", "chat_metadata_bytes", "chat_receipt_participants",
        "chat_threads_of_user", "chat_messages_of_thread", "chat_bytes_of_thread", "chat_retention_days",
        "chat_reading_after_removal", "journal_kept", "realtime_sockets_of_user", "realtime_sockets_of_resource",
        "realtime_kept",
    ),
    "Moderation": (
        "moderation_url", "moderation_secret_file", "moderation_on_failure", "moderation_timeout", "outbound_networks",
    ),
    "Entra ID": ("entra", "entra_issuers", "entra_tenants"),
    "Logs, traces and limits": ("request_log", "log_format", "traces", "rate_limits"),
    "Deadlines": ("head_deadline", "body_deadline", "answer_deadline", "keep_alive", "stop_deadline", "drain_delay"),
}  # fmt: skip
"""The settings that have a flag. One that is in none of them is shown under `Others`."""

EXAMPLES: Mapping[str, Sequence[str]] = {
    "dev": ("watchword dev", "watchword dev --port 9443 --data ./acs", "watchword dev --no-tls"),
    "serve": (
        "watchword serve --data /var/lib/watchword",
        "watchword serve --host 0.0.0.0 --tls-suffix lab.internal --public-endpoint https://acs.lab.internal:8443",
        "WATCHWORD_DATABASE=postgresql://acs@db/acs watchword serve --no-tls --port 8080",
    ),
    "quickstart": ("watchword quickstart", "watchword quickstart --chat"),
    "env": ('eval "$(watchword env)"', "watchword env --shell powershell --port 9443"),
    "trust install": ("watchword trust install --dry-run", "watchword trust install"),
    "trust remove": ("watchword trust remove",),
    "identity create": ("watchword identity create", "watchword identity create --custom-id ada"),
    "identity show": ("watchword identity show --user 8:acs:...",),
    "identity list": (
        "watchword identity list --limit 20",
        "watchword identity list --created-after 2026-11-21 --json",
    ),
    "identity delete": ("watchword identity delete --user 8:acs:... --yes",),
    "token issue": (
        "watchword token issue --scope chat voip",
        "TOKEN=$(watchword token issue --scope chat --user 8:acs:... --expires-in-minutes 60)",
    ),
    "token revoke": ("watchword token revoke --user 8:acs:...", "watchword token revoke --token-id ID --yes"),
    "token verify": ("watchword token verify < token.txt", "watchword token verify --json eyJ..."),
    "token inspect": ("watchword token inspect eyJ...",),
    "chat list": ("watchword chat list --as 8:acs:...",),
    "chat show": ("watchword chat show 19:acsV1_...@thread.v2 --as 8:acs:... --last 20",),
    "chat send": (
        'watchword chat send 19:acsV1_...@thread.v2 "Come over" --as 8:acs:...',
        "date | watchword chat send 19:acsV1_...@thread.v2 - --as 8:acs:...",
    ),
    "chat delete": (
        "watchword chat delete 19:acsV1_...@thread.v2 --as 8:acs:...",
        "watchword chat delete 19:acsV1_...@thread.v2 --as 8:acs:... --message ID --yes",
    ),
    "chat import": (
        "watchword chat import lunch.json --from matrix --users users.json",
        "watchword chat import history.jsonl --others 8:acs:... --unread",
    ),
    "chat threads": ('watchword chat threads --topic "Order 17"', "watchword chat threads --member 8:acs:... --json"),
    "chat members": ("watchword chat members 19:acsV1_...@thread.v2 --add 8:acs:...",),
    "chat redact": ("watchword chat redact 19:acsV1_...@thread.v2 1749594023041",),
    "chat export": (
        "watchword chat export 19:acsV1_...@thread.v2 --output thread.jsonl",
        "watchword chat export --user 8:acs:... > user.jsonl",
    ),
    "group create": ("watchword group create --name team",),
    "group list": ("watchword group list --json",),
    "group delete": ("watchword group delete --name team",),
    "resource create": ('watchword resource create --name chat --group team --data-location "United States"',),
    "resource list": ("watchword resource list",),
    "resource show": ("watchword resource show --name chat --json",),
    "resource delete": ("watchword resource delete --name chat",),
    "resource keys": ("watchword resource keys --name chat",),
    "resource regenerate-key": ("watchword resource regenerate-key --name chat --key secondary",),
    "resource connection-string": ("watchword resource connection-string --name chat",),
    "operator create": ("watchword operator create --name ada --role reader",),
    "operator list": ("watchword operator list",),
    "operator delete": ("watchword operator delete --id ID",),
    "verifier create": ("watchword verifier create",),
    "verifier list": ("watchword verifier list",),
    "verifier delete": ("watchword verifier delete --id ID",),
    "role assign": (
        "watchword role assign --principal ID --resource chat",
        "watchword role assign --management ID --role reader",
    ),
    "role list": ("watchword role list",),
    "role remove": ("watchword role remove --principal ID --resource chat",),
    "entra user-token": ("watchword entra user-token --scp Chat --minutes 60",),
    "keys list": ("watchword keys list",),
    "keys rotate": ("watchword keys rotate", "watchword keys rotate --now"),
    "keys retire": ("watchword keys retire --key-id ID",),
    "keys revoke": ("watchword keys revoke --key-id ID",),
    "keys rewrap": ("watchword keys rewrap",),
    "export": ("watchword export acs.export", "watchword export - | ssh backup 'cat > acs.export'"),
    "import": ("watchword import acs.export",),
    "migrate plan": ("watchword migrate plan",),
    "migrate apply": ("watchword migrate apply",),
    "clock lower": ("watchword clock lower",),
    "doctor": ("watchword doctor", "watchword doctor --data /var/lib/watchword --json"),
    "health": ("watchword health", "watchword health --port 9443"),
    "settings": ("watchword settings", "watchword settings --in-force"),
}
"""By the command's words; what a reader can copy."""


_WHOLE = 1_000


def write_in_groups(
    groups: Mapping[str, Sequence[str]],
    rows: Mapping[str, tuple[str, str]],
    formatter: click.HelpFormatter,
    *,
    others: str,
) -> None:
    """`rows` by name, under the headings of their groups, and what is in none at the end."""
    left = dict(rows)
    for heading, names in groups.items():
        found = [left.pop(name) for name in names if name in left]
        if found:
            with formatter.section(heading):
                formatter.write_dl(found)
    if left:
        with formatter.section(others):
            formatter.write_dl([*left.values()])


def write_examples(words: str, formatter: click.HelpFormatter) -> None:
    """The examples of the command of these words, such as `identity list`."""
    if found := EXAMPLES.get(words):
        with formatter.section("Examples"):
            for line in found:
                # Not wrapped: what is to be copied is one line.
                formatter.write(f"{'':{formatter.current_indent}}{line}\n")


class Explained(click.Command):
    """A command whose help shows examples, and its settings in groups where it has many."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {
            parameter.name or "": record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option) and (record := parameter.get_help_record(ctx)) is not None
        }
        groups = SETTING_GROUPS if self.name in ("dev", "serve") else {}
        write_in_groups(groups, rows, formatter, others="Options")
        words = ctx.command_path.partition(" ")[2]
        write_examples(words, formatter)


class ExplainedGroup(click.Group):
    """A group of such commands."""

    command_class = Explained

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Whole sentences, over several lines where they are long; the library would cut them off."""
        found = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(limit=_WHOLE)) for name, command in found])
