"""What `deploy/` names exists, and each file says how far it was tested."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tests.support.requirements import PROJECT
from watchword.cli.setting_flags import flag_of, flag_settings
from watchword.settings import PREFIX, Settings

FILES = sorted(path for path in (PROJECT / "deploy").rglob("*") if path.is_file() and path.suffix != ".dockerignore")


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_variable_is_a_setting(path: Path) -> None:
    known = {f"{PREFIX}{setting.name.upper()}" for setting in fields(Settings)} | {"WATCHWORD_HOME"}
    assert set(re.findall(r"WATCHWORD_[A-Z_]+", text_of(path))) <= known


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_says_how_far_it_was_tested(path: Path) -> None:
    comment = "".join(line for line in text_of(path).splitlines()[:4] if line.startswith("#"))
    assert re.search(r"Untested|Checked with", comment)


def test_nobody_beyond_this_machine_is_let_in_unless_the_operator_says_so() -> None:
    compose, socket = text_of(PROJECT / "deploy/compose.yaml"), text_of(PROJECT / "deploy/systemd/watchword.socket")
    published = re.findall(r"^ *- \"?([\d.:]*\d+:\d+)\"?$", compose, re.MULTILINE)
    listening = re.findall(r"^Listen\w+=(.*)$", socket, re.MULTILINE)
    assert published
    assert listening
    assert [each for each in [*published, *listening] if not re.match(r"127\.0\.0\.1:|\[::1\]:", each)] == []


def test_flags_that_the_commands_carry_exist() -> None:
    known = {flag for setting in flag_settings() for flag in flag_of(setting).split(" / ")}
    used = set()
    for path in FILES:
        for line in re.findall(r"^ExecStart=.*$|^ *command: \[.*\]$", text_of(path), re.MULTILINE):
            used |= set(re.findall(r"--[a-z-]+", line))
    assert used
    assert used <= known


def test_the_image_gets_no_more_than_it_copies() -> None:
    listed = re.findall(r"^!(.+)$", text_of(PROJECT / "deploy/Containerfile.dockerignore"), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", text_of(PROJECT / "deploy/Containerfile"), re.MULTILINE)
    assert sorted(listed) == sorted(" ".join(copied).split())
    assert all((PROJECT / each).exists() for each in listed)


def test_a_kill_comes_later_than_the_stop_deadline() -> None:
    deadline = Settings().stop_deadline
    [service] = re.findall(
        r"^TimeoutStopSec=(\d+)$", text_of(PROJECT / "deploy/systemd/watchword.service"), re.MULTILINE
    )
    [grace] = re.findall(r"stop_grace_period: (\d+)s", text_of(PROJECT / "deploy/compose.yaml"))
    assert min(int(service), int(grace)) > 2 * deadline
