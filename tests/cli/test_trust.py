"""`watchword trust`: the commands of each system, and their real run on a store in a folder of our own."""

import hashlib
import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.requirements import require
from watchword.certificates import prepare_authority
from watchword.certificates.trust_bundles import read_bundle
from watchword.cli.trust import (
    ANCHOR_FOLDERS,
    AnchorFolder,
    Command,
    LoginKeychain,
    WindowsUserStore,
    find_trust_store,
    install,
    print_command,
    remove,
    run_command,
)
from watchword.errors import OperatorError

TODAY = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return prepare_authority(tmp_path / "ca", TODAY)[0].certificate_path


def thumbprint(ca: Path) -> str:
    return hashlib.sha1(read_bundle(ca)[0], usedforsecurity=False).hexdigest().upper()


def test_anchor_is_installed_and_removed_for_real(ca: Path, tmp_path: Path) -> None:
    require("install", "the command `install` copies the anchor")
    anchors, refreshed = tmp_path / "store" / "anchors", tmp_path / "refreshed"
    store = AnchorFolder(anchors, ("sh", "-c", f"echo refreshed >> {shlex.quote(str(refreshed))}"))
    for _ in range(2):
        install(ca, store, run_command)
        (anchor,) = anchors.iterdir()
        assert anchor.name == f"watchword-{thumbprint(ca)[:16].lower()}.crt"
        assert anchor.read_bytes() == ca.read_bytes()
        assert anchor.stat().st_mode & 0o777 == 0o644
    for _ in range(2):
        remove(ca, store, run_command)
        assert list(anchors.iterdir()) == []
    assert refreshed.read_text() == "refreshed\n" * 4


def test_commands_of_each_system(ca: Path) -> None:
    digest, commands = thumbprint(ca), list[Command]()
    install(ca, WindowsUserStore(), commands.append)
    remove(ca, WindowsUserStore(), commands.append)
    keychain = LoginKeychain(Path("/Users/me/login.keychain-db"))
    install(ca, keychain, commands.append)
    remove(ca, keychain, commands.append)
    install(ca, ANCHOR_FOLDERS[0], commands.append)
    remove(ca, ANCHOR_FOLDERS[-1], commands.append)
    anchor = f"watchword-{digest[:16].lower()}.crt"
    assert [shlex.join(command) for command in commands] == [
        f"certutil -addstore -user Root {ca}",
        f"certutil -delstore -user Root {digest}",
        f"security add-trusted-cert -r trustRoot -p ssl -k /Users/me/login.keychain-db {ca}",
        f"security remove-trusted-cert {ca}",
        f"security delete-certificate -Z {digest} /Users/me/login.keychain-db",
        f"install -D -m 0644 {ca} /etc/pki/ca-trust/source/anchors/{anchor}",
        "update-ca-trust extract",
        f"rm -f /usr/local/share/ca-certificates/{anchor}",
        "update-ca-certificates",
    ]


def test_dry_run_prints_what_it_would_do(ca: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    anchors = tmp_path / "my anchors"
    install(ca, AnchorFolder(anchors, ("update-it",)), print_command)
    assert capsys.readouterr().out.splitlines()[-1] == "update-it"
    assert not anchors.exists()


def test_store_is_found_by_folder_and_command(tmp_path: Path) -> None:
    require("true", "`true` stands for the command that takes anchors over")
    absent_folder = AnchorFolder(tmp_path / "absent" / "anchors", ("true",))
    absent_command = AnchorFolder(tmp_path / "anchors", ("no-such-command",))
    found = AnchorFolder(tmp_path / "anchors", ("true",))
    assert find_trust_store("linux", [absent_folder, absent_command, found]) is found
    assert isinstance(find_trust_store("darwin"), LoginKeychain)
    assert isinstance(find_trust_store("win32"), WindowsUserStore)
    with pytest.raises(OperatorError, match="no trust store") as raised:
        find_trust_store("linux", [absent_folder, absent_command])
    assert "watchword env" in raised.value.remedy


@pytest.mark.skipif(sys.platform == "win32", reason="Windows changes the user's own store")
def test_who_is_not_root_gets_the_commands_to_run_as_root(
    ca: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    store = AnchorFolder(tmp_path / "anchors", ("update it",))
    with pytest.raises(OperatorError, match="Only root") as raised:
        install(ca, store)
    assert raised.value.remedy.startswith("Run these commands:\n  sudo install -D")
    assert raised.value.remedy.endswith("\n  sudo 'update it'")
    assert not store.folder.exists()


def test_failure_of_a_command_is_repeated() -> None:
    require("sh", "a shell stands for a command that fails")
    with pytest.raises(OperatorError, match="failed with status 3: no space left"):
        run_command(("sh", "-c", "echo no space left >&2; exit 3"))
    with pytest.raises(OperatorError, match="no-such-command is missing"):
        run_command(("no-such-command",))


def test_ca_that_is_not_there_is_reported_before_anything_runs(tmp_path: Path) -> None:
    commands: list[Command] = []
    with pytest.raises(OperatorError, match="cannot be read as a certificate"):
        install(tmp_path / "absent.pem", ANCHOR_FOLDERS[0], commands.append)
    assert commands == []
