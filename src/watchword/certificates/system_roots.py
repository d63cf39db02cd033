"""The certificates that this machine trusts, wherever its system keeps them."""

import contextlib
import importlib.util
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from watchword.certificates.trust_bundles import parse_pem, read_bundle
from watchword.errors import OperatorError

# Python builds that are carried from machine to machine look in places that exist on none of them.
_KNOWN_PLACES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # RHEL 6
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # Alpine, macOS, the BSDs
    "/etc/ssl/certs",
)
_KEYCHAINS = ("/System/Library/Keychains/SystemRootCertificates.keychain", "/Library/Keychains/System.keychain")
_SERVER_AUTH = "1.3.6.1.5.5.7.3.1"


def read_system_roots() -> list[bytes]:
    """Those of the system's store, or else of the first usual place that has any.

    Raises:
        OperatorError: there is no place with certificates, nor the package `certifi`.
    """
    return _from_windows() or _from_keychains() or _from_files()


def _from_files() -> list[bytes]:
    for place in _places():
        try:
            return read_bundle(place)
        except OperatorError:
            continue
    raise OperatorError(
        message="No trusted certificates were found on this machine.",
        remedy="Install them (the package is often called ca-certificates), or name a bundle in SSL_CERT_FILE.",
    )


def _places() -> Iterator[Path]:
    # The compiled-in paths, not `cafile` and `capath`: those follow this process' own environment.
    compiled_in = ssl.get_default_verify_paths()
    yield Path(compiled_in.openssl_cafile)
    yield from map(Path, _KNOWN_PLACES)
    yield Path(compiled_in.openssl_capath)
    certifi = importlib.util.find_spec("certifi")
    if certifi is not None and certifi.origin is not None:
        yield Path(certifi.origin).with_name("cacert.pem")


def _from_keychains() -> list[bytes]:
    roots: list[bytes] = []
    if sys.platform == "darwin":
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            command = ["security", "find-certificate", "-a", "-p", *_KEYCHAINS]
            roots = parse_pem(subprocess.run(command, capture_output=True, check=True).stdout)
    return roots


def _from_windows() -> list[bytes]:
    roots: list[bytes] = []
    if sys.platform == "win32":
        for certificate, encoding, trust in ssl.enum_certificates("ROOT"):
            if encoding == "x509_asn" and (isinstance(trust, bool) or _SERVER_AUTH in trust):
                roots.append(certificate)
    return roots
