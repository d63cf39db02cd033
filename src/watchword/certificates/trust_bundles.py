"""Bundles of trusted certificates: read from what is in force, joined, written under the hash of their content.

A certificate here is its DER bytes. Bundles are never changed once written, because other shells may be using them;
a new content gets a new name.
"""

import base64
import binascii
import contextlib
import hashlib
import re
import ssl
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.utils import CryptographyDeprecationWarning

from watchword.certificates.jks import is_jks, read_jks
from watchword.errors import OperatorError
from watchword.files import write_atomically

JAVA_STORE_PASSWORD = "changeit"

# OpenSSL's TRUSTED CERTIFICATE blocks are left out on purpose: they may say that a certificate is *not* to be trusted.
_PEM_BLOCK = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE-----\s(.+?)-----END (?:X509 )?CERTIFICATE-----", re.DOTALL)


def read_bundle(path: Path) -> list[bytes]:
    """The certificates of a PEM file, or of all PEM files in a folder such as /etc/ssl/certs.

    Raises:
        OperatorError: it cannot be read, or holds no certificate.
    """
    try:
        files = [each for each in sorted(path.iterdir()) if each.is_file()] if path.is_dir() else [path]
        certificates = _unique(each for file in files for each in parse_pem(file.read_bytes()))
    except FileNotFoundError as error:
        raise _unreadable(path, "there is no such file") from error
    except OSError as error:
        raise _unreadable(path, str(error)) from error
    if not certificates:
        raise _unreadable(path, "it holds no certificate")
    return certificates


def parse_pem(content: bytes) -> list[bytes]:
    """Reads only the certificates: a private key in the same file is not carried along."""
    certificates = []
    for block in _PEM_BLOCK.finditer(content):
        try:
            certificates.append(base64.b64decode(b"".join(block[1].split()), validate=True))
        except binascii.Error:
            continue
    return certificates


def write_bundle(folder: Path, certificates: Iterable[bytes]) -> Path:
    unique = _unique(certificates)
    path = folder / f"roots-{_content_hash(unique)}.pem"
    if not path.exists():
        _make_private(folder)
        write_atomically(path, "".join(map(ssl.DER_cert_to_PEM_cert, unique)).encode(), mode=0o644)
    return path


def read_java_store(path: Path, password: str | None) -> list[bytes]:
    """The trusted certificates of a Java store, in the PKCS12 or the older JKS form.

    Raises:
        OperatorError: it cannot be read, is of another form, or the password does not fit.
    """
    try:
        content = path.read_bytes()
        if is_jks(content):
            return read_jks(content)
        with _old_roots_allowed():
            store = pkcs12.load_pkcs12(content, None if password is None else password.encode())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unreadable(path, str(error)) from error
    return [each.certificate.public_bytes(serialization.Encoding.DER) for each in store.additional_certs]


def write_java_store(folder: Path, certificates: Iterable[bytes]) -> Path:
    """A PKCS12 store with the password that every Java tool assumes; there is nothing secret in it."""
    unique = _unique(certificates)
    path = folder / f"roots-{_content_hash(unique)}.p12"
    if not path.exists():
        with _old_roots_allowed():
            entries = [entry for entry in map(_java_entry, unique) if entry is not None]
        encryption = serialization.BestAvailableEncryption(JAVA_STORE_PASSWORD.encode())
        _make_private(folder)
        write_atomically(path, pkcs12.serialize_java_truststore(entries, encryption), mode=0o644)
    return path


@contextlib.contextmanager
def _old_roots_allowed() -> Iterator[None]:
    # Several roots that all systems ship have a serial number of zero; there is nothing a user could do about it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def _java_entry(der: bytes) -> pkcs12.PKCS12Certificate | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        # Some old roots break the encoding rules; no store that Java reads could hold them either.
        return None
    # Java keeps one certificate for each alias, so the alias is as unique as the certificate.
    return pkcs12.PKCS12Certificate(certificate, hashlib.sha256(der).hexdigest()[:32].encode())


def _make_private(folder: Path) -> None:
    # Whoever may write here decides whom our shells trust.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _unique(certificates: Iterable[bytes]) -> list[bytes]:
    return list(dict.fromkeys(certificates))


def _content_hash(certificates: Iterable[bytes]) -> str:
    digests = (hashlib.sha256(each).digest() for each in certificates)
    return hashlib.sha256(b"".join(digests)).hexdigest()[:16]


def _unreadable(path: Path, reason: str) -> OperatorError:
    return OperatorError(
        message=f"The trusted certificates in {path} cannot be read: {reason}.",
        remedy="Correct or unset the variable that names them.",
    )
