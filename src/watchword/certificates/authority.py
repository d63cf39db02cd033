"""The local certificate authority: made once in a folder, then kept for years.

    ca.pem                 the root, which clients are told to trust; its private key exists nowhere
    intermediate.pem       the intermediate, which signs for servers and which they send along
    intermediate-key.pem   its private key, mode 0600

What the intermediate may sign for, and why it cannot be widened, is told in `chain`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from watchword.certificates.chain import constraints, make_chain
from watchword.certificates.names import format_names, parse_name, parse_suffix, permits
from watchword.errors import OperatorError, reason_of
from watchword.files import exclusive, sync_folder, write_atomically

RENEWED_BEFORE_EXPIRY = timedelta(days=30)


class Outcome(StrEnum):
    """What preparing a certificate did to the files."""

    CREATED = "created"
    REPLACED = "replaced"
    KEPT = "kept"


@dataclass(frozen=True)
class LocalAuthority:
    """`certificate` is the root; `key` is the intermediate's."""

    folder: Path
    certificate: x509.Certificate
    intermediate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def certificate_path(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def intermediate_path(self) -> Path:
        return self.folder / "intermediate.pem"

    @property
    def key_path(self) -> Path:
        return self.folder / "intermediate-key.pem"

    @property
    def starts(self) -> datetime:
        return max(self.certificate.not_valid_before_utc, self.intermediate.not_valid_before_utc)

    @property
    def expires(self) -> datetime:
        return min(self.certificate.not_valid_after_utc, self.intermediate.not_valid_after_utc)

    @property
    def permitted(self) -> tuple[str, ...]:
        """The names it may sign for, as people write them."""
        return format_names(constraints(self.intermediate))

    def permits(self, name: x509.GeneralName) -> bool:
        return permits(constraints(self.intermediate), name)


def prepare_authority(
    folder: Path, now: datetime, suffix: str | None = None, *, names: Iterable[str] = ()
) -> tuple[LocalAuthority, Outcome]:
    """Load the authority of the folder; make it if there is none, or none that may sign for all that is named here.

    A replaced authority stays beside the new one under names with its serial number, and the new one may sign for what
    the old one might: servers with different names share it. Processes that start at the same moment end up with the
    same authority.

    Raises:
        OperatorError: the folder or its files cannot be used, or a name is neither a DNS name nor an address.
    """
    parsed = parse_suffix(suffix)
    wanted = [*([x509.DNSName(parsed)] if parsed else []), *map(parse_name, names)]
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with exclusive(folder / ".lock"):
            return _load_or_create(folder, now, wanted)
    except OSError as error:
        raise OperatorError(
            message=f"The local CA in {folder} cannot be used: {reason_of(error)}.",
            remedy="Make the folder readable and writable for the user who runs Watchword.",
        ) from error


def _load_or_create(folder: Path, now: datetime, wanted: list[x509.GeneralName]) -> tuple[LocalAuthority, Outcome]:
    present = _load(folder)
    if present is None:
        return _create(folder, now, wanted), Outcome.CREATED
    if all(map(present.permits, wanted)) and now < present.expires - RENEWED_BEFORE_EXPIRY:
        return present, Outcome.KEPT
    _set_aside(present)
    return _create(folder, now, [*constraints(present.intermediate), *wanted]), Outcome.REPLACED


def _load(folder: Path) -> LocalAuthority | None:
    if not (folder / "ca.pem").exists():
        return None
    try:
        root = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
        intermediate = x509.load_pem_x509_certificate((folder / "intermediate.pem").read_bytes())
        key = _load_key(folder / "intermediate-key.pem")
        _check(root, intermediate, key)
    except FileNotFoundError as error:
        raise _unusable(folder, f"{Path(error.filename).name} is missing") from error
    except (ValueError, x509.ExtensionNotFound) as error:
        raise _unusable(folder, str(error)) from error
    return LocalAuthority(folder, root, intermediate, key)


def _check(root: x509.Certificate, intermediate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    try:
        intermediate.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise ValueError("ca.pem did not sign intermediate.pem") from error
    if key.public_key() != intermediate.public_key():
        raise ValueError("intermediate-key.pem does not fit intermediate.pem")
    constraints(intermediate)


def _unusable(folder: Path, reason: str) -> OperatorError:
    return OperatorError(
        message=f"The local CA in {folder} cannot be used: {reason}.",
        remedy="Restore ca.pem, intermediate.pem and intermediate-key.pem, or remove ca.pem: the next start then makes "
        "a new CA, which every client has to be told to trust.",
    )


def _create(folder: Path, now: datetime, names: list[x509.GeneralName]) -> LocalAuthority:
    chain = make_chain(now, names)
    made = LocalAuthority(folder, chain.root, chain.intermediate, chain.key)
    # The root goes last: without it there is no CA yet, and after a crash the next start makes another, whole one.
    write_atomically(made.key_path, encode_key(made.key))
    write_atomically(made.intermediate_path, _encode(made.intermediate), mode=0o644)
    write_atomically(made.certificate_path, _encode(made.certificate), mode=0o644)
    return made


def _set_aside(old: LocalAuthority) -> None:
    serial = f"{old.certificate.serial_number:x}"[:12]
    # Copies first: up to the rename of the root a crash leaves the old CA in force, from then on nothing of it is lost.
    write_atomically(old.folder / f"intermediate-key-{serial}.pem", encode_key(old.key))
    write_atomically(old.folder / f"intermediate-{serial}.pem", _encode(old.intermediate), mode=0o644)
    old.certificate_path.rename(old.folder / f"ca-{serial}.pem")
    sync_folder(old.folder)


def _encode(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


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
