"""The stores of browsers on Linux, which do not look into the system's: NSS databases in the user's home.

    ~/.pki/nssdb                     Chromium, Chrome, Edge and all that are made of it
    ~/.local/share/pki/nssdb         the same, newer ones, where the first is not there
    ~/snap/chromium/current/.pki/nssdb
    ~/.mozilla/firefox/<profile>     Firefox, and the same in its snap

Each is the user's own, so that no root is needed; the program `certutil` changes them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

TOOL = "certutil"
_CHROMIUM = (".pki/nssdb", ".local/share/pki/nssdb", "snap/chromium/current/.pki/nssdb")
_FIREFOX = (".mozilla/firefox", "snap/firefox/common/.mozilla/firefox")
_PACKAGES = "libnss3-tools (Debian, Ubuntu), nss-tools (Fedora), nss (Arch) or mozilla-nss-tools (openSUSE)"

Command = tuple[str, ...]


def find_stores(home: Path) -> list[Path]:
    """The databases that are there."""
    found = [home / place for place in _CHROMIUM if (home / place / "cert9.db").exists()]
    for place in _FIREFOX:
        found += sorted(profile.parent for profile in (home / place).glob("*/cert9.db"))
    return found


def install_commands(ca: Path, home: Path) -> list[Command]:
    """Those that let the browsers of this user trust the CA. Chromium's store is made where there is none yet, since
    Chromium itself makes it only when it is first needed.
    """
    return list(_install(ca, home))


def remove_commands(ca: Path, home: Path) -> list[Command]:
    """Those that undo it, in the stores that hold it."""
    return [(TOOL, "-D", "-d", f"sql:{store}", "-n", nickname(ca)) for store in find_stores(home)]


def is_there() -> bool:
    """Whether the stores can be changed."""
    return shutil.which(TOOL) is not None


def advice(ca: Path) -> str:
    """What to do where they cannot."""
    return (
        "Chromium, Chrome, Edge and Firefox do not trust it: on Linux they have stores of their own, which the program "
        f"{TOOL} changes. Install the package {_PACKAGES}, then run `watchword trust install` again; or add {ca} by "
        "hand in the browser's settings, among the authorities."
    )


def nickname(ca: Path) -> str:
    """The name by which a store knows it: that in the certificate, which is of this CA alone."""
    subject = x509.load_pem_x509_certificate(ca.read_bytes()).subject
    return str(subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def _install(ca: Path, home: Path) -> Iterator[Command]:
    stores = find_stores(home)
    chromium = [home / place for place in _CHROMIUM]
    if not set(stores) & set(chromium):
        yield ("mkdir", "-p", "-m", "0700", str(chromium[0]))
        yield (TOOL, "-N", "-d", f"sql:{chromium[0]}", "--empty-password")
        stores.append(chromium[0])
    for store in stores:
        yield (TOOL, "-A", "-d", f"sql:{store}", "-t", "C,,", "-n", nickname(ca), "-i", str(ca))
