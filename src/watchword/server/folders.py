"""Where Watchword keeps what belongs to one user of one machine.

    data/certificates    the local CA, for all servers of this user
    data/bundles         what `watchword env` points programs at
    data/server          the data directory of `watchword serve` unless another is named
    state/servers        one file for each running server

`data` and `state` are the system's usual places, or lie in the folder that WATCHWORD_HOME names. The runtime folder
of the session would be usual for the last, but it is not the same in every shell of a user, and is removed at logout
under servers that live on.
"""

import os
import stat
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs

from watchword.errors import OperatorError, reason_of
from watchword.files import opens_to_strangers


@dataclass(frozen=True)
class Folders:
    data: Path
    state: Path

    @property
    def certificates(self) -> Path:
        return self.data / "certificates"

    @property
    def bundles(self) -> Path:
        return self.data / "bundles"

    @property
    def server(self) -> Path:
        return self.data / "server"

    @property
    def running(self) -> Path:
        return self.state / "servers"


def find_folders(environment: Mapping[str, str] | None = None) -> Folders:
    """Nothing is created here; an empty WATCHWORD_HOME counts as none.

    Raises:
        OperatorError: the user has no home, and WATCHWORD_HOME names none.
    """
    home = (os.environ if environment is None else environment).get("WATCHWORD_HOME")
    if home:
        return Folders(Path(home).absolute() / "data", Path(home).absolute() / "state")
    try:
        return Folders(
            Path(platformdirs.user_data_dir("watchword", appauthor=False)),
            Path(platformdirs.user_state_dir("watchword", appauthor=False)),
        )
    except RuntimeError:
        raise OperatorError(
            "This user has no home directory: HOME is not set, and the system knows none.",
            "Name a folder that can be written to in WATCHWORD_HOME.",
        ) from None


def temporary_folder(prefix: str) -> TemporaryDirectory[str]:
    """A folder of this process' own. Where the system's cannot be written to, as in a container whose root is
    read-only, it lies among the states of this user.

    Raises:
        OperatorError: neither can be written to.
    """
    try:
        return TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    except OSError:
        state = make_private(find_folders().state)
    try:
        return TemporaryDirectory(prefix=prefix, dir=state, ignore_cleanup_errors=True)
    except OSError as error:
        raise OperatorError(
            f"There is no folder for temporary files: {reason_of(error)}.",
            "Name one that can be written to in TMPDIR or WATCHWORD_HOME.",
        ) from None


def make_private(folder: Path) -> Path:
    """Create the folder for this user alone.

    Raises:
        OperatorError: it cannot be made, or others could have put something into it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise OperatorError(
            message=f"The folder {folder} cannot be used: {reason_of(error)}.",
            remedy="Make it writable for this user, or name another place in WATCHWORD_HOME.",
        ) from error
    # WATCHWORD_HOME may lie in a /tmp that everybody writes to: without this check another user could plant a server
    # there, and with it a CA for our shells to trust.
    if sys.platform != "win32" and (
        not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or opens_to_strangers(status, 0o022)
    ):
        raise OperatorError(
            message=f"The folder {folder} is not this user's alone.",
            remedy="Remove it if it is not yours, or name another place in WATCHWORD_HOME.",
        )
    return folder
