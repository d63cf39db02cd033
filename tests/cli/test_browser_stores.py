"""Browsers on Linux look into stores of their own: `watchword trust install` changes them, seen in a real Chromium."""

import os
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.commands import Home, answer, refusal, run, server
from tests.support.process_tree import linux_only
from tests.support.requirements import require
from watchword.certificates import prepare_authority
from watchword.cli.browser_stores import advice, find_stores, install_commands, nickname, remove_commands
from watchword.cli.trust import run_all, run_some

pytestmark = linux_only


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return prepare_authority(tmp_path / "ca", datetime.now(UTC))[0].certificate_path


def listed(store: Path) -> str:
    return subprocess.run(["certutil", "-L", "-d", f"sql:{store}"], capture_output=True, text=True, check=True).stdout


def test_stores_that_are_there_hold_the_ca_until_it_is_removed(ca: Path, tmp_path: Path) -> None:
    require("certutil", "certutil changes the stores of browsers")
    home = tmp_path / "home"
    profile = home / ".mozilla" / "firefox" / "a1b2.default"
    profile.mkdir(parents=True)
    subprocess.run(["certutil", "-N", "-d", f"sql:{profile}", "--empty-password"], check=True)
    for _ in range(2):
        run_all(install_commands(ca, home))
        assert find_stores(home) == [home / ".pki" / "nssdb", profile]
        for store in find_stores(home):
            assert re.search(rf"^{nickname(ca)} +C,, *$", listed(store), re.MULTILINE)
    for _ in range(2):
        run_some(remove_commands(ca, home))
        assert not any(nickname(ca) in listed(store) for store in find_stores(home))


def test_without_the_program_it_is_said_which_browsers_do_not_trust_and_what_to_do(ca: Path) -> None:
    told = advice(ca)
    assert "Chromium" in told
    assert "libnss3-tools" in told
    assert str(ca) in told


def test_chromium_trusts_the_server_after_the_store_was_changed_and_no_longer_after_that(home: Home) -> None:
    require("certutil", "certutil changes the stores of browsers")
    require("chromium", "Chromium has to trust the server")
    user = home.folder / "user"
    user.mkdir(parents=True)

    def sees(endpoint: str) -> str:
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-proxy-server", "--dump-dom"]
        profile = f"--user-data-dir={home.folder / 'profile'}"
        return subprocess.run(
            [*command, profile, f"{endpoint}/healthz"],
            env=os.environ | {"HOME": str(user)}, capture_output=True, text=True, timeout=120, check=False,
        ).stdout  # fmt: skip

    with server(home, "dev") as running:
        ca = home.folder / "data" / "certificates" / "ca.pem"
        run_all(install_commands(ca, user))
        assert ">ok\n<" in sees(running.endpoint)
        run_some(remove_commands(ca, user))
        assert ">ok\n<" not in sees(running.endpoint)


def test_commands_for_browsers_are_shown_beside_those_for_the_system(home: Home) -> None:
    require("certutil", "certutil changes the stores of browsers")
    require("update-ca-certificates", "it stands for the system's store")
    environment = {"HOME": str(home.folder)}
    shown = answer(home, "trust", "install", "--dry-run", environment=environment)
    assert re.search(r"^certutil -A -d sql:\S+/.pki/nssdb -t C,, ", shown, re.MULTILINE)
    assert "update-ca-certificates" in shown
    assert "browsers included" not in run(home, "trust", "install", "--help").stdout


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can change the system's store")
def test_root_changes_nothing_unasked(home: Home) -> None:
    require("update-ca-certificates", "it stands for the system's store")
    complaint = refusal(home, "trust", "install", environment={"HOME": str(home.folder)})
    assert "Nothing was changed" in complaint
    assert "--yes" in complaint
    assert find_stores(home.folder) == []
