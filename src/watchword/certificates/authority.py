"""The local certificate authority: made once in a folder, then kept for years.

    ca.pem       the certificate, which clients are told to trust
    ca-key.pem   its private key, mode 0600

It may sign for this machine's loopback names and one configured DNS suffix, for TLS servers only:
whoever steals the key cannot pose as anybody else. OpenSSL and Node.js enforce that.

Observed: Java 17 does not: it ignores the name constraints of a trust anchor. There, only keeping the key secret helps.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from watchword.certificates.names import format_names, loopback_constraints, parse_suffix, permits
from watchword.errors import OperatorError
from watchword.files import exclusive, sync_folder, write_atomically

LIFETIME = timedelta(days=3652)
RENEWED_BEFORE_EXPIRY = timedelta(days=30)
# Containers and virtual machines often run a little behind the machine that made the certificate.
BACKDATED = timedelta(hours=1)


class Outcome(StrEnum):
    """What preparing a certificate did to the files."""

    CREATED = "created"
    REPLACED = "replaced"
    KEPT = "kept"


@dataclass(frozen=True)
class LocalAuthority:
    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_path(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def key_path(self) -> Path:
        return self.folder / "ca-key.pem"

    @property
    def expires(self) -> datetime:
        return self.certificate.not_valid_after_utc

    @property
    def permitted(self) -> tuple[str, ...]:
        """The names it may sign for, as people write them."""
        return format_names(_constraints(self.certificate))

    def permits(self, name: x509.GeneralName) -> bool:
        return permits(_constraints(self.certificate), name)


def prepare_authority(folder: Path, now: datetime, suffix: str | None = None) -> tuple[LocalAuthority, Outcome]:
    """Load the authority of the folder; make it if there is none, or none that covers the suffix.

    A replaced authority stays beside the new one under a name with its serial number. Processes that
    start at the same moment end up with the same authority.

    Raises:
        OperatorError: the folder or its files cannot be used, or the suffix is not a DNS name.
    """
    suffix = parse_suffix(suffix)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder / ".lock"):
            return _load_or_create(folder, now, suffix)
    except OSError as error:
        raise OperatorError(
            message=f"The local CA in {folder} cannot be used: {error}.",
            remedy="Make the folder readable and writable for the user who runs Watchword.",
        ) from error


def _load_or_create(folder: Path, now: datetime, suffix: str | None) -> tuple[LocalAuthority, Outcome]:
    present = _load(folder)
    if present is None:
        return _create(folder, now, suffix), Outcome.CREATED
    covered = suffix is None or present.permits(x509.DNSName(suffix))
    if covered and now < present.expires - RENEWED_BEFORE_EXPIRY:
        return present, Outcome.KEPT
    _set_aside(present)
    return _create(folder, now, suffix), Outcome.REPLACED


def _load(folder: Path) -> LocalAuthority | None:
    certificate_path, key_path = folder / "ca.pem", folder / "ca-key.pem"
    if not certificate_path.exists():
        return None
    try:
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = _load_key(key_path)
        if key.public_key() != certificate.public_key():
            raise ValueError("its key does not fit its certificate")
        _constraints(certificate)
    except FileNotFoundError as error:
        raise _unusable(folder, "its key is missing") from error
    except (ValueError, x509.ExtensionNotFound) as error:
        raise _unusable(folder, str(error)) from error
    return LocalAuthority(folder, certificate, key)


def _unusable(folder: Path, reason: str) -> OperatorError:
    return OperatorError(
        message=f"The local CA in {folder} cannot be used: {reason}.",
        remedy="Restore ca.pem and ca-key.pem, or remove both: the next start makes a new CA.",
    )


def _create(folder: Path, now: datetime, suffix: str | None) -> LocalAuthority:
    # The key goes first: a crash in between leaves a key without certificate, which is simply used next time.
    key_path = folder / "ca-key.pem"
    if not key_path.exists():
        write_atomically(key_path, encode_key(ec.generate_private_key(ec.SECP256R1())))
    key = _load_key(key_path)
    certificate = _self_sign(key, now, suffix)
    write_atomically(folder / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return LocalAuthority(folder, certificate, key)


def _set_aside(old: LocalAuthority) -> None:
    # The certificate goes first, so that a crash in between never leaves it without its key.
    serial = f"{old.certificate.serial_number:x}"[:12]
    old.certificate_path.rename(old.folder / f"ca-{serial}.pem")
    sync_folder(old.folder)
    old.key_path.rename(old.folder / f"ca-key-{serial}.pem")


def _self_sign(key: ec.EllipticCurvePrivateKey, now: datetime, suffix: str | None) -> x509.Certificate:
    key_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    # Stores tell authorities apart by name, so each key has a name of its own.
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Watchword"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Watchword local CA {key_id.digest.hex()[:8]}"),
        ]
    )
    start = now - BACKDATED
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        # Without this the name constraint would still leave mail, code and client certificates open.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(loopback_constraints(suffix), excluded_subtrees=None), critical=True)
        .add_extension(key_id, critical=False)
        .sign(key, hashes.SHA256())
    )


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def encode_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path.name} is not an elliptic curve key")
    return key


def _constraints(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
