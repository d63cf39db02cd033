"""TLS contexts of a server, from certificates and keys."""

from __future__ import annotations

import contextlib
import os
import ssl
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from watchword.errors import OperatorError, reason_of


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context: TLS 1.2 and newer, HTTP/1.1.

    Raises:
        OperatorError: the files are no certificate chain and its key.
    """
    try:
        return tls_context_of(certificate.read_bytes(), key.read_bytes())
    except (OSError, ssl.SSLError) as error:
        raise OperatorError(
            f"The certificate {certificate} with the key {key} cannot be used: {reason_of(error)}.",
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
    with _file_of(chain) as certificate_path, _file_of(key) as key_path:
        # A password is given, though there is none, so that OpenSSL does not ask for it on the terminal.
        context.load_cert_chain(certificate_path, key_path, password="")


@contextlib.contextmanager
def _file_of(content: bytes) -> Iterator[Path]:
    """A file that holds the content, for this process, until the block ends."""
    if sys.platform == "linux":
        # In memory: a container may have no folder that can be written to, and no key should touch a disk.
        with os.fdopen(os.memfd_create("watchword-tls"), "wb") as file:
            file.write(content)
            file.flush()
            yield Path(f"/proc/self/fd/{file.fileno()}")
    else:
        with tempfile.TemporaryDirectory(prefix="watchword-tls-") as folder:
            path = Path(folder, "pem")
            path.touch(0o600)
            path.write_bytes(content)
            yield path
