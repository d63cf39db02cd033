"""The server's own certificate, signed by the local authority and renewed before anybody notices.

leaf.pem       the certificate, then the intermediate that signed it; clients have the root
leaf-key.pem   its private key, mode 0600
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from watchword.certificates.authority import RENEWED_BEFORE_EXPIRY, LocalAuthority, Outcome, encode_key
from watchword.certificates.chain import BACKDATED, issued_by, key_usage
from watchword.certificates.names import LOOPBACK_NAMES, format_names, parse_name
from watchword.errors import OperatorError, reason_of
from watchword.files import exclusive, write_atomically

# Apple and the browsers refuse server certificates that live longer than 398 days.
LONGEST_LIFETIME = timedelta(days=397)


@dataclass(frozen=True)
class Leaf:
    certificate_path: Path
    key_path: Path
    names: tuple[str, ...]
    expires: datetime


def ensure_leaf(
    authority: LocalAuthority, folder: Path, names: Iterable[str], *, now: datetime
) -> tuple[Leaf, Outcome]:
    """The certificate in the folder, for the loopback names and the given ones, fit for another 30 days.

    It keeps the names that it had: the servers of a user share it, whatever name each goes by.

    Raises:
        OperatorError: a name is outside of what the authority may sign for, or the folder is not writable.
    """
    wanted = _parse_names(authority, names)
    certificate_path, key_path = folder / "leaf.pem", folder / "leaf-key.pem"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder / ".lock"):
            key = _load_or_create_key(key_path)
            present = _load(certificate_path)
            if present is not None and _is_fit(present, authority, key, names=wanted, now=now):
                certificate, outcome = present[0], Outcome.KEPT
            else:
                kept = [name for name in _names_of(present[0]) if authority.permits(name)] if present else []
                wanted = list(dict.fromkeys([*wanted, *kept]))
                certificate = _sign(authority, key.public_key(), wanted, now=now, lifetime=LONGEST_LIFETIME)
                outcome = Outcome.CREATED if present is None else Outcome.REPLACED
                chain = [certificate, authority.intermediate]
                pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
                write_atomically(certificate_path, pem, mode=0o644)
    except OSError as error:
        raise OperatorError(
            message=f"The server certificate in {folder} cannot be used: {reason_of(error)}.",
            remedy="Make the folder readable and writable for the user who runs Watchword.",
        ) from error
    leaf = Leaf(certificate_path, key_path, format_names(_names_of(certificate)), certificate.not_valid_after_utc)
    return leaf, outcome


def issue_leaf(
    authority: LocalAuthority,
    names: Iterable[str],
    now: datetime,
    *,
    lifetime: timedelta = LONGEST_LIFETIME,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A certificate and its new key, for the loopback names and the given ones; at most 397 days.

    A server sends `authority.intermediate` along with it, because clients have the root alone.

    Raises:
        OperatorError: a name is outside of what the authority may sign for.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = _parse_names(authority, names)
    return _sign(authority, key.public_key(), wanted, now=now, lifetime=lifetime), key


def _parse_names(authority: LocalAuthority, names: Iterable[str]) -> list[x509.GeneralName]:
    parsed = list(dict.fromkeys(parse_name(name) for name in (*LOOPBACK_NAMES, *names)))
    for name in parsed:
        if not authority.permits(name):
            raise OperatorError(
                message=f"The local CA may not sign for {name.value}, only for names under "
                f"{', '.join(authority.permitted)}.",
                remedy="Add it with --tls-names, or give the server a certificate of your own.",
            )
    return parsed


def _sign(
    authority: LocalAuthority,
    public_key: ec.EllipticCurvePublicKey,
    names: list[x509.GeneralName],
    *,
    now: datetime,
    lifetime: timedelta,
) -> x509.Certificate:
    start = now - BACKDATED
    # Both ends of the validity count (RFC 5280, section 4.1.2.5), hence the second less.
    end = start + min(lifetime, LONGEST_LIFETIME) - timedelta(seconds=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(authority.intermediate.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(min(end, authority.expires))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(issued_by(authority.intermediate), critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _load_or_create_key(path: Path) -> ec.EllipticCurvePrivateKey:
    # The key outlives renewals: a server that reads the pair while another process renews it
    # would otherwise start with the halves of two different pairs.
    if path.exists():
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except ValueError:
            key = None
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key
    new = ec.generate_private_key(ec.SECP256R1())
    write_atomically(path, encode_key(new))
    return new


def _load(path: Path) -> list[x509.Certificate] | None:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None


def _names_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _is_fit(
    chain: list[x509.Certificate],
    authority: LocalAuthority,
    key: ec.EllipticCurvePrivateKey,
    *,
    names: list[x509.GeneralName],
    now: datetime,
) -> bool:
    certificate = chain[0]
    try:
        certificate.verify_directly_issued_by(authority.intermediate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return (
        chain[1:] == [authority.intermediate]
        and set(_names_of(certificate)) >= set(names)
        and certificate.public_key() == key.public_key()
        and certificate.not_valid_before_utc <= now
        and now < certificate.not_valid_after_utc - RENEWED_BEFORE_EXPIRY
    )
