"""A server as Kubernetes runs it: rights that the volume adds, mounted keys, no home, no folder for temporary files."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.commands import WATCHWORD, Home, answer, refusal, server
from tests.support.process_tree import linux_only
from tests.support.requirements import require
from watchword.errors import OperatorError
from watchword.files import opens_to_strangers
from watchword.keyring.key_files import load_or_create_key_file

pytestmark = linux_only

# A process of its own, whose root is read-only but for the home; `exec` keeps the number that signals are sent to.
READ_ONLY = (
    'for folder in /tmp /var/tmp "$PWD"; do mount --bind "$folder" "$folder"; done; mount --bind "$0" "$0"; '
    'for folder in /tmp /var/tmp "$PWD"; do mount -o remount,bind,ro "$folder"; done; cd /proc; exec "$@"'
)


def a_user_of_its_own(*options: str) -> tuple[str, ...]:
    """A program that runs others in a user namespace."""
    require("unshare", "unshare runs a program under another user")
    command = ("unshare", *options)
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    require(tried.returncode == 0, "this machine gives no user namespaces")
    return command


def mount_again(folder: Path) -> None:
    """What the kubelet does with `fsGroup` at each mount: the group may read and write, and folders hand it on."""
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | (0o2770 if path.is_dir() else 0o660))


def test_group_rights_that_a_mount_adds_do_not_stop_the_next_start(home: Home) -> None:
    with server(home, "serve"):
        first = answer(home, "identity", "create")
    mount_again(home.folder)
    with server(home, "serve"):
        assert answer(home, "health") == "ready\n"
        assert first.strip() in answer(home, "identity", "list")
        assert "export COMMUNICATION_SERVICES" in answer(home, "env", "--shell", "sh")
        assert "warning encryption key: The group" in answer(home, "doctor", "--port", "0")


def test_key_of_a_mounted_secret_is_readable_by_its_group(home: Home) -> None:
    # As a Secret is mounted: `key` leads to `..data/key`, and both folders are left as they are.
    (home.folder / "secret" / "..data").mkdir(parents=True)
    key = home.folder / "secret" / "..data" / "key"
    key.write_bytes(base64.b64encode(bytes(32)))
    key.chmod(0o440)
    (home.folder / "secret" / "key").symlink_to("..data/key")
    with server(home, "serve", "--encryption-key-file", home.folder / "secret" / "key"):
        assert answer(home, "health") == "ready\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files to other groups")
def test_key_of_a_group_that_this_process_is_not_in_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(base64.b64encode(bytes(32)))
    path.chmod(0o640)
    assert load_or_create_key_file(path) == bytes(32)
    os.chown(path, -1, max(os.getgroups(), default=0) + 4711)
    with pytest.raises(OperatorError, match="chmod 600"):
        load_or_create_key_file(path)


@pytest.mark.parametrize(
    ("mode", "group", "opens"),
    [
        (0o600, 4711, False),
        (0o640, os.getegid(), False),
        (0o640, 4711, True),
        (0o604, os.getegid(), True),
        (0o660, os.getegid(), False),
        (0o100440, os.getegid(), False),
    ],
)
def test_whom_a_file_opens_to(mode: int, group: int, opens: bool) -> None:
    assert opens_to_strangers(os.stat_result((mode, 0, 0, 1, 0, group, 0, 0, 0, 0)), 0o077) is opens


def test_key_folder_that_cannot_be_written_is_told_in_a_sentence(home: Home) -> None:
    complaint = refusal(home, "serve", "--port", "0", "--encryption-key-file", "/proc/no-such-folder/key")
    assert "cannot be made" in complaint
    assert "openssl rand" in complaint


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_starts_where_only_its_home_can_be_written(workers: str) -> None:
    # Workers meet at a socket in it, whose name must be short.
    with TemporaryDirectory(prefix="w") as folder:
        home = Home(Path(folder))
        under = (*a_user_of_its_own("-Urm"), "sh", "-ec", READ_ONLY, folder)
        environment = {"HOME": "/nonexistent", "TMPDIR": "", "WATCHWORD_WORKERS": workers}
        with server(home, "serve", under=under, environment=environment) as running:
            assert answer(home, "health") == "ready\n"
            assert running.process.poll() is None


def test_user_without_an_entry_and_a_home_is_told_to_name_a_folder(tmp_path: Path) -> None:
    command = [
        *a_user_of_its_own("-U", "--map-user=12345", "--map-group=12345"),
        "env",
        "-i",
        f"PATH={os.environ['PATH']}",
    ]
    found = subprocess.run([*command, *WATCHWORD, "serve"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert found.returncode == 1
    assert "Traceback" not in found.stderr
    assert "WATCHWORD_HOME" in found.stderr
