"""The moderator that the settings name: whether its address and its secret are such as can be used."""

from __future__ import annotations

from pathlib import Path

from watchword.chat.moderator import Moderator
from watchword.clock import Clock
from watchword.errors import AddressRefused, OperatorError, reason_of
from watchword.measurements import ModerationCounts
from watchword.outbound.addresses import AddressRule
from watchword.outbound.calls import Calls
from watchword.outbound.targets import read_address, read_target
from watchword.settings import Settings

SHORTEST_SECRET = 16


def moderator_of(settings: Settings, clock: Clock, counts: ModerationCounts) -> Moderator:
    """Make it; nothing is asked yet.

    Raises:
        OperatorError: its address may not be called, or there is no secret that is long enough.
    """
    return Moderator(
        calls_of(settings), _secret_of(settings), clock, seconds=settings.moderation_timeout, counts=counts
    )


def calls_of(settings: Settings) -> Calls:
    """Calls to the address that is set, by the rule for all addresses.

    Raises:
        OperatorError: it may not be called; a name is judged at each call.
    """
    rule = AddressRule(settings.outbound_networks)
    try:
        target = read_target(settings.moderation_url)
        if read_address(target.host) is not None:
            rule.require(target.host, target.scheme)
    except AddressRefused as error:
        raise OperatorError(
            f"--moderation-url cannot be called. {error.reason}",
            "Name it like https://hooks.example/moderate, or leave it out.",
        ) from None
    return Calls(target, rule)


def _secret_of(settings: Settings) -> bytes:
    secret, origin = settings.moderation_secret, "WATCHWORD_MODERATION_SECRET"
    if not secret and settings.moderation_secret_file is not None:
        secret, origin = _read(settings.moderation_secret_file), str(settings.moderation_secret_file)
    if len(secret) < SHORTEST_SECRET:
        what = f"The secret in {origin} is too short" if secret else "There is no secret to sign with"
        raise OperatorError(
            f"{what}, so the moderation webhook could not tell who asks it.",
            "Make one with: openssl rand -base64 32. Set WATCHWORD_MODERATION_SECRET or --moderation-secret-file.",
        )
    return secret.encode("utf-8", "surrogateescape")


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"The secret of the moderation webhook cannot be read from {file}: {reason_of(error)}.",
            "Name a readable file by --moderation-secret-file.",
        ) from None
