"""The local CA in the system's trust store, for browsers and programs that no variable reaches.

Each change is a list of plain commands, so that it can be shown before it is done, or be handed to whoever may do it.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from watchword.errors import OperatorError, reason_of

Command = tuple[str, ...]
Runner = Callable[[Command], None]


@dataclass(frozen=True)
class AnchorFolder:
    """A folder for added CAs, and the command that takes them over; how Linux systems do it."""

    folder: Path
    refresh: Command

    def install(self, ca: Path) -> list[Command]:
        return [("install", "-D", "-m", "0644", str(ca), str(self._anchor(ca))), self.refresh]

    def remove(self, ca: Path) -> list[Command]:
        return [("rm", "-f", str(self._anchor(ca))), self.refresh]

    @property
    def needs_root(self) -> bool:
        return True

    def _anchor(self, ca: Path) -> Path:
        # Debian takes only names in .crt; the thumbprint keeps the CAs of several users apart.
        return self.folder / f"watchword-{_thumbprint(ca)[:16].lower()}.crt"


@dataclass(frozen=True)
class LoginKeychain:
    """macOS: the user's own keychain, which asks for the user's password in a window."""

    keychain: Path

    def install(self, ca: Path) -> list[Command]:
        return [("security", "add-trusted-cert", "-r", "trustRoot", "-p", "ssl", "-k", str(self.keychain), str(ca))]

    def remove(self, ca: Path) -> list[Command]:
        return [
            ("security", "remove-trusted-cert", str(ca)),
            ("security", "delete-certificate", "-Z", _thumbprint(ca), str(self.keychain)),
        ]

    @property
    def needs_root(self) -> bool:
        return False


@dataclass(frozen=True)
class WindowsUserStore:
    """Windows: the user's own root store, which asks for consent in a window."""

    def install(self, ca: Path) -> list[Command]:
        return [("certutil", "-addstore", "-user", "Root", str(ca))]

    def remove(self, ca: Path) -> list[Command]:
        return [("certutil", "-delstore", "-user", "Root", _thumbprint(ca))]

    @property
    def needs_root(self) -> bool:
        return False


TrustStore = AnchorFolder | LoginKeychain | WindowsUserStore

# In this order: Fedora's and Arch's folders exist nowhere else, openSUSE has its own beside Debian's command.
ANCHOR_FOLDERS = (
    AnchorFolder(Path("/etc/pki/ca-trust/source/anchors"), ("update-ca-trust", "extract")),
    AnchorFolder(Path("/etc/ca-certificates/trust-source/anchors"), ("update-ca-trust", "extract")),
    AnchorFolder(Path("/etc/pki/trust/anchors"), ("update-ca-certificates",)),
    AnchorFolder(Path("/usr/local/share/ca-certificates"), ("update-ca-certificates",)),
)


def find_trust_store(
    platform: str = sys.platform, anchor_folders: Sequence[AnchorFolder] = ANCHOR_FOLDERS
) -> TrustStore:
    """The store of this system, as far as it can be seen from its folders and commands.

    Raises:
        OperatorError: this system has none that Watchword knows.
    """
    if platform == "win32":
        return WindowsUserStore()
    if platform == "darwin":
        return LoginKeychain(Path.home() / "Library/Keychains/login.keychain-db")
    for candidate in anchor_folders:
        if candidate.folder.parent.is_dir() and shutil.which(candidate.refresh[0]):
            return candidate
    raise OperatorError(
        message="This system has no trust store that Watchword knows how to change.",
        remedy="Install the package ca-certificates, or use `watchword env`, which changes only the environment.",
    )


def install(ca: Path, store: TrustStore, run: Runner | None = None) -> None:
    """Let the whole system trust the CA; doing it twice does no harm. `run` stands in for doing it, to print it say.

    Raises:
        OperatorError: it takes root to do it, or a command failed.
    """
    _execute(store.install(ca), store, run)


def remove(ca: Path, store: TrustStore, run: Runner | None = None) -> None:
    """Undo `install`.

    Raises:
        OperatorError: it takes root to do it, or a command failed.
    """
    _execute(store.remove(ca), store, run)


def run_all(commands: Sequence[Command], run: Runner | None = None) -> None:
    """Run the commands one after another, up to one that fails.

    Raises:
        OperatorError: a command failed.
    """
    for command in commands:
        (run or run_command)(command)


def run_some(commands: Sequence[Command], run: Runner | None = None) -> None:
    """Those that fail undo what was not done."""
    for command in commands:
        with suppress(OperatorError):
            (run or run_command)(command)


def is_root_asked(store: TrustStore) -> bool:
    """Whether this process may change what all users of the machine trust, and no window of the system asks first."""
    return sys.platform != "win32" and store.needs_root and os.geteuid() == 0


def browsers_of(store: TrustStore) -> Path | None:
    """The home whose browsers have stores of their own; None where they look into the system's."""
    return Path.home() if isinstance(store, AnchorFolder) else None


def print_command(command: Command) -> None:
    """The runner of `--dry-run`: it shows what would be done."""
    print(shlex.join(command))


def run_command(command: Command) -> None:
    """The runner that does it.

    Raises:
        OperatorError: the command is missing or failed; the message repeats what it said.
    """
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        raise OperatorError(
            message=f"The command {command[0]} is missing.", remedy="Install it, then try again."
        ) from error
    except subprocess.CalledProcessError as error:
        said = (error.stderr or error.stdout).strip()
        raise OperatorError(
            message=f"{shlex.join(command)} failed with status {error.returncode}: {said}",
            remedy="Correct what it complains of, then try again.",
        ) from error


def _execute(commands: list[Command], store: TrustStore, run: Runner | None) -> None:
    if run is None:
        _require_root(commands, store)
    for command in commands:
        (run or run_command)(command)


def _require_root(commands: list[Command], store: TrustStore) -> None:
    if sys.platform != "win32" and store.needs_root and os.geteuid() != 0:
        # Not `sudo watchword`: as root it would look for root's CA, and find or make another one.
        lines = "".join(f"\n  sudo {shlex.join(command)}" for command in commands)
        raise OperatorError(
            message="Only root may change the system's trust store.", remedy=f"Run these commands:{lines}"
        )


def _thumbprint(ca: Path) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(ca.read_bytes())
    except (OSError, ValueError) as error:
        raise OperatorError(
            message=f"{ca} cannot be read as a certificate: {reason_of(error)}.",
            remedy="Start a server once: `watchword dev` makes the CA.",
        ) from error
    # Both systems find certificates by their SHA-1 thumbprint; nothing is proved by it.
    return certificate.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303
