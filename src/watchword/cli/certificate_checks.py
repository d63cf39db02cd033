"""What `doctor` finds out about the certificate that a server shows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from watchword.certificates import certificate_facts
from watchword.certificates.facts import CertificateFacts
from watchword.certificates.names import holds_for
from watchword.cli.findings import Finding, ok, problem, told_by, warning
from watchword.clock import MachineClock, to_datetime
from watchword.errors import OperatorError
from watchword.server.certificate import LEAF_FOLDER
from watchword.server.folders import Folders
from watchword.settings import Settings

_ABOUT = "certificate"
_SOON = timedelta(days=30)


def check_certificate(settings: Settings, folders: Folders, clock: MachineClock) -> Iterator[Finding]:
    """The operator's own, or what the local CA has signed."""
    leaf, ca = folders.certificates / LEAF_FOLDER, folders.certificates / "ca.pem"
    if not settings.tls:
        yield ok(_ABOUT, "TLS is off; a proxy in front has to speak it.")
    elif settings.certificate:
        remedy = "Get a new certificate, and restart the server."
        yield from _check(settings, (settings.certificate, settings.certificate_key, None), remedy, clock=clock)
    elif ca.exists() or (leaf / "leaf.pem").exists():
        remedy = f"Remove {leaf} and restart the server: it makes a new certificate under the same CA."
        yield from _check(settings, (leaf / "leaf.pem", leaf / "leaf-key.pem", ca), remedy, clock=clock)
    else:
        yield ok(_ABOUT, f"There is none yet; the first start makes a local CA in {folders.certificates}.")


def _check(
    settings: Settings, paths: tuple[Path, Path | None, Path | None], remedy: str, *, clock: MachineClock
) -> Iterator[Finding]:
    certificate, key, ca = paths
    try:
        facts = certificate_facts(certificate, key, ca)
        authority = certificate_facts(ca) if ca else None
    except OperatorError as error:
        yield problem(_ABOUT, error.message, remedy) if ca else told_by(_ABOUT, error)
        return
    if facts.key_fits is False:
        yield problem(_ABOUT, f"The key {key} is not that of {certificate}.", remedy)
    elif facts.signed_by_authority is False:
        yield problem(_ABOUT, f"{certificate} was not signed by the local CA {ca}.", remedy)
    else:
        yield _check_times(facts, authority, paths, remedy=remedy, clock=clock) or _check_names(settings, facts)


def _check_times(
    facts: CertificateFacts,
    authority: CertificateFacts | None,
    paths: tuple[Path, Path | None, Path | None],
    *,
    remedy: str,
    clock: MachineClock,
) -> Finding | None:
    now = to_datetime(clock.micros())
    if authority is not None and now < authority.starts:
        return problem(
            _ABOUT,
            f"No client trusts the local CA yet: it holds from {authority.starts:%Y-%m-%d %H:%M} UTC, and the clock "
            f"says {now:%Y-%m-%d %H:%M}.",
            f"Set the clock if it is wrong. If it is right, remove {paths[2]} and restart the server: it makes a new "
            "CA, which clients have to be told to trust.",
        )
    if not facts.starts <= now < facts.expires:
        return problem(
            _ABOUT,
            f"It holds from {facts.starts:%Y-%m-%d} to {facts.expires:%Y-%m-%d}, and today is {now:%Y-%m-%d}.",
            f"See that the clock is right. {remedy}",
        )
    if facts.expires - now < _SOON:
        return warning(
            _ABOUT,
            f"It expires on {facts.expires:%Y-%m-%d}.",
            "Restart the server: it makes a new one." if authority else remedy,
        )
    return None


def _check_names(settings: Settings, facts: CertificateFacts) -> Finding:
    names, public = ", ".join(facts.names), urlsplit(settings.public_endpoint).hostname
    if public and not holds_for(facts.names, public):
        return warning(
            _ABOUT,
            f"It holds for {names}, and not for {public}, the host of the public endpoint.",
            "Get a certificate that does, unless a proxy in front shows its own."
            if settings.certificate
            else f"Start the server with --tls-names {public}, unless a proxy in front shows a certificate of its own.",
        )
    return ok(_ABOUT, f"It holds for {names} until {facts.expires:%Y-%m-%d}.")
