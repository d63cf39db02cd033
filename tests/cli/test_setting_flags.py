"""Flags are made from settings: each once, none for a secret, and a flag beats the environment."""

from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from watchword.cli.setting_flags import default_of, flag_of, flag_settings, with_settings
from watchword.cli.settings_list import markdown_table, rows
from watchword.settings import SECRET_SETTINGS, Settings


def settings_from(*arguments: str, environment: dict[str, str] | None = None) -> Settings:
    received: list[Settings] = []

    @click.command()
    @with_settings()
    def command(settings: Settings) -> None:
        received.append(settings)

    result = CliRunner().invoke(command, arguments, env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return received[0]


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in fields(Settings):
        monkeypatch.delenv(f"WATCHWORD_{setting.name.upper()}", raising=False)


def test_without_flags_and_environment_the_defaults_are_in_force() -> None:
    assert settings_from() == Settings()


def test_every_kind_of_setting_can_be_given_by_flag() -> None:
    arguments = "--data d --port 1 --no-tls --head-deadline 2.5 --hsts max-age=1 --host ::1,127.0.0.2 --host 127.0.0.3"
    settings = settings_from(*arguments.split())
    assert (settings.data, settings.port, settings.tls) == (Path("d"), 1, False)
    assert (settings.head_deadline, settings.hsts) == (2.5, "max-age=1")
    assert settings.host == ("::1", "127.0.0.2", "127.0.0.3")


def test_flag_beats_environment() -> None:
    environment = {"WATCHWORD_PORT": "1", "WATCHWORD_TLS": "no"}
    settings = settings_from("--port", "2", environment=environment)
    assert (settings.port, settings.tls) == (2, False)
    assert settings_from("--tls", environment=environment).tls is True


def test_secrets_have_no_flag() -> None:
    assert SECRET_SETTINGS
    assert SECRET_SETTINGS.isdisjoint(setting.name for setting in flag_settings())
    assert len(flag_settings()) + len(SECRET_SETTINGS) == len(fields(Settings))


def test_table_holds_every_setting_with_its_default() -> None:
    table = markdown_table()
    for setting, row in zip(fields(Settings), rows(), strict=True):
        assert f"`WATCHWORD_{setting.name.upper()}`" in table
        assert row[2] == default_of(setting)
    assert flag_of(next(setting for setting in fields(Settings) if setting.name == "tls")) == "--tls / --no-tls"
