"""TLS contexts of a server, from certificates and keys."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from watchword.errors import OperatorError


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context: TLS 1.2 and newer, HTTP/1.1.

    Raises:
        OperatorError: the files are no certificate chain and its key.
    """
    try:
        return tls_context_of(certificate.read_bytes(), key.read_bytes())
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"The certificate {certificate} with the key {key} cannot be used: {error}.",
            "Give a PEM file with the chain, the server's own certificate first, and one with its unencrypted key.",
        ) from None


def tls_context_of(chain: bytes, key: bytes) -> ssl.SSLContext:
    """The same from what is in such files.

    Raises:
        ssl.SSLError: they are no certificate chain and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    load_pair(context, chain, key)
    return context


def load_pair(context: ssl.SSLContext, chain: bytes, key: bytes) -> None:
    """What handshakes from now on show. A pair that does not fit together spoils the context: try it on another first.

    Raises:
        ssl.SSLError: it is no certificate chain and its key.
    """
    # The ssl module reads certificates from files only; these are gone when it has.
    with tempfile.TemporaryDirectory(prefix="watchword-tls-") as folder:
        certificate_path, key_path = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        certificate_path.write_bytes(chain)
        key_path.touch(0o600)
        key_path.write_bytes(key)
        # A password is given, though there is none, so that OpenSSL does not ask for it on the terminal.
        context.load_cert_chain(certificate_path, key_path, password="")
