"""What can be said about a certificate file, whoever made it; `doctor` and the start-up lines print it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from watchword.certificates.chain import constraints
from watchword.certificates.names import format_names, parse_name, permits
from watchword.errors import OperatorError, reason_of


@dataclass(frozen=True)
class CertificateFacts:
    """What the certificate says; `signed_by_authority` also when intermediates in the same file stand in between.

    `key_fits` and `signed_by_authority` are None where there was no key or authority to compare with.
    """

    subject: str
    names: tuple[str, ...]
    starts: datetime
    expires: datetime
    key_fits: bool | None
    signed_by_authority: bool | None


def certificate_facts(path: Path, key_path: Path | None = None, authority_path: Path | None = None) -> CertificateFacts:
    """Read the first certificate of the file, and compare it with the key and the authority where they are given.

    Raises:
        OperatorError: a file is missing, or is not what its argument says.
    """
    chain = _load_chain(path)
    certificate = chain[0]
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        names=_names(certificate),
        starts=certificate.not_valid_before_utc,
        expires=certificate.not_valid_after_utc,
        key_fits=None if key_path is None else _key_fits(certificate, key_path),
        signed_by_authority=None if authority_path is None else _is_signed_under(_load_chain(authority_path)[0], chain),
    )


def may_sign_for(authority_path: Path, host: str) -> bool:
    """Whether the authority of the file is one that is constrained to some names, and the host's among them."""
    try:
        return permits(constraints(_load_chain(authority_path)[0]), parse_name(host))
    except (OperatorError, x509.ExtensionNotFound):
        return False


def _load_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(path, "certificate", error) from error


def _key_fits(certificate: x509.Certificate, path: Path) -> bool:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path, "private key", error) from error
    return key.public_key() == certificate.public_key()


def _unreadable(path: Path, kind: str, error: Exception) -> OperatorError:
    return OperatorError(
        message=f"{path} cannot be read as a {kind}: {reason_of(error)}.",
        remedy=f"Give the path of an unencrypted {kind} in PEM form that this user may read.",
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return format_names(extension.value)


def _is_signed_under(authority: x509.Certificate, chain: list[x509.Certificate]) -> bool:
    try:
        for certificate, issuer in zip(chain, [*chain[1:], authority], strict=True):
            certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
