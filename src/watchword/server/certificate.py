"""Which certificate a server shows: the operator's own, else one of the local CA's, made and renewed by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from watchword.certificates import LocalAuthority, Outcome, certificate_facts, ensure_leaf, prepare_authority
from watchword.certificates.names import holds_for
from watchword.errors import OperatorError
from watchword.settings import Settings

LEAF_FOLDER = "leaf"


@dataclass(frozen=True)
class ServerCertificate:
    """`ca` is the local CA's certificate, None where the certificate is the operator's own; `notes` are for people."""

    certificate: Path
    key: Path
    ca: Path | None
    names: tuple[str, ...]
    expires: datetime
    notes: tuple[str, ...] = ()
    authority: LocalAuthority | None = None

    def __str__(self) -> str:
        signer = f"signed by {self.ca}" if self.ca else f"from {self.certificate}"
        return f"{', '.join(self.names)}; until {self.expires:%Y-%m-%d}; {signer}"


def prepare_certificate(settings: Settings, folder: Path, now: datetime) -> ServerCertificate:
    """The certificate in force; the local CA lives in the folder.

    Raises:
        OperatorError: a file is missing, or is not what it should be.
    """
    if settings.certificate or settings.certificate_key:
        return _own_certificate(settings)
    tls_suffix = settings.tls_suffix or settings.resource_suffix
    authority, outcome = prepare_authority(folder, now, tls_suffix or None, names=settings.tls_names)
    public = urlsplit(settings.public_endpoint).hostname or ""
    names, notes = [*settings.tls_names], []
    if suffix := tls_suffix.removeprefix(".").lower():
        names += [suffix, f"*.{suffix}"]
        if public.endswith(f".{suffix}"):
            names.append(public)
    if now < authority.starts:
        notes.append(
            f"No client trusts the local CA yet: it holds from {authority.starts:%Y-%m-%d %H:%M} UTC, and the clock "
            f"says {now:%Y-%m-%d %H:%M}. If the clock is right, remove {authority.certificate_path}: the next start "
            "makes a new CA, which clients have to be told to trust."
        )
    if outcome is Outcome.REPLACED:
        notes.append(
            'The local CA is a new one: run eval "$(watchword env)" again where the old one was trusted, and '
            "`watchword trust install` if the system trusted it."
        )
    leaf, _ = ensure_leaf(authority, folder / LEAF_FOLDER, names, now=now)
    if public and not holds_for(leaf.names, public):
        notes.append(
            f"The certificate does not hold for {public}: add --tls-names {public}, or give a certificate of your own "
            "with --certificate and --certificate-key, unless a proxy in front shows its own."
        )
    return ServerCertificate(
        leaf.certificate_path,
        leaf.key_path,
        authority.certificate_path,
        leaf.names,
        leaf.expires,
        tuple(notes),
        authority,
    )


def _own_certificate(settings: Settings) -> ServerCertificate:
    if not (settings.certificate and settings.certificate_key):
        raise OperatorError(
            "A certificate and its key belong together, and only one is given.",
            "Give both --certificate and --certificate-key, or neither to use the local CA's.",
        )
    facts = certificate_facts(settings.certificate, settings.certificate_key)
    if not facts.key_fits:
        raise OperatorError(
            f"The key {settings.certificate_key} is not that of the certificate {settings.certificate}.",
            "Give the key that the certificate was made for; in a chain the server's own certificate comes first.",
        )
    public = urlsplit(settings.public_endpoint).hostname or "localhost"
    notes = () if holds_for(facts.names, public) else (_not_for(public, facts.names, settings.public_endpoint),)
    return ServerCertificate(settings.certificate, settings.certificate_key, None, facts.names, facts.expires, notes)


def _not_for(public: str, names: tuple[str, ...], endpoint: str) -> str:
    holds = f"it holds for {', '.join(names) or 'no name'}"
    if endpoint:
        return f"The certificate does not hold for {public}: {holds}. Get one that does, unless a proxy shows its own."
    return f"The certificate does not hold for {public}: {holds}. Say with --public-endpoint how clients come here."
