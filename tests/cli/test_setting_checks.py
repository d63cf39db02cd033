"""Settings that make no sense are refused in a sentence, before anything starts; and what is in force can be asked."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from tests.support.commands import Home, answer, refusal
from watchword.cli.setting_checks import BOUNDS, require_spelled
from watchword.errors import OperatorError
from watchword.settings import Settings


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("--port 99999", "99999 is not a port"),
        ("--port -1", "-1 is not a port"),
        ("--operator-port 70000", "70000 is not a port"),
        ("--workers 0", "0 is out of bounds"),
        ("--head-deadline nan", "nan is out of bounds"),
        ("--chat-participants 0", "1 or more"),
        ("--chat-batch -1", "1 or more"),
        ("--chat-message-bytes 0", "1 or more"),
        ("--chat-metadata-bytes -1", "0 or more"),
        ("--chat-threads-of-user -1", "0 or more"),
        ("--chat-retention-days -1", "0 or more"),
        ("--journal-kept 60", "120 seconds or more"),
        ("--journal-kept 600", "Make --realtime-kept shorter"),
        ("--realtime-sockets-of-user 0", "1 or more"),
        ("--database-timeout 0", "more than 0 seconds"),
        ("--stop-deadline -1", "0 seconds or more"),
        ("--key-lifetime 3600", "before it ever signed"),
        ("--no-tls --certificate chain.pem --certificate-key key.pem", "TLS is off"),
        ("--operator-host 127.0.0.1", "Set --operator-port too"),
        ("--public-endpoint https://a~b.example", "as their issuer"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(home: Home, arguments: str, told: str) -> None:
    assert told in refusal(home, "serve", *arguments.split())
    assert not (home.server_data / "watchword.sqlite").exists()


def test_a_key_may_live_as_short_as_a_development_server_publishes_it_ahead(home: Home) -> None:
    assert "published 3600 seconds" in refusal(home, "dev", "--key-lifetime", "60")
    assert "published 90000 seconds" in refusal(home, "serve", "--key-lifetime", "60")


@pytest.mark.parametrize(
    ("variable", "meant"),
    [("WATCHWORD_PROT", "WATCHWORD_PORT"), ("WATCHWORD_CERTIFICATE_KEYS", "WATCHWORD_CERTIFICATE_KEY")],
)
def test_a_misspelt_variable_is_refused_with_the_one_that_is_meant(home: Home, variable: str, meant: str) -> None:
    told = refusal(home, "keys", "list", environment={variable: "1"})
    assert f"{variable} is not a setting; {meant} is." in told


@pytest.mark.parametrize(
    "variable",
    [
        "WATCHWORD_HOME",
        "WATCHWORD_ENDPOINT",
        "WATCHWORD_SERVICE_HOST",
        "WATCHWORD_SERVICE_PORT_HTTPS",
        "WATCHWORD_PORT_8443_TCP",
        "WATCHWORD_PORT_8443_TCP_ADDR",
        "WATCHWORD_SOMETHING_ELSE",
        "PATH",
    ],
)
def test_variables_of_others_are_left_alone(variable: str) -> None:
    require_spelled({variable: "1", "WATCHWORD_SERVICE_HOST": "10.0.0.7"})


def test_a_variable_that_cannot_be_read_is_told_in_plain_words(home: Home) -> None:
    for name, value, told in (
        ("TLS", "perhaps", "is not true or false"),
        ("PORT", "many", "is not a whole number"),
        ("HEAD_DEADLINE", "soon", "is not a number of seconds"),
        ("SIGNING_ALGORITHM", "HS256", "is not a signing algorithm"),
    ):
        said = refusal(home, "keys", "list", environment={f"WATCHWORD_{name}": value})
        assert told in said
        assert "tuple" not in said


def test_settings_in_force_are_shown_with_where_they_come_from(home: Home) -> None:
    environment = {"WATCHWORD_PORT": "9443", "WATCHWORD_ENCRYPTION_KEY": "c2VjcmV0", "WATCHWORD_ANYTHING": "1"}
    said = answer(home, "settings", "--in-force", "--json", environment=environment)
    found = {each["setting"]: (each["value"], each["origin"]) for each in json.loads(said)}
    assert found["port"] == ("9443", "the variable WATCHWORD_PORT")
    assert found["workers"] == ("1", "the default")
    assert found["data"] == (str(home.server_data), "the default")
    assert found["encryption_key"] == ("(set, and not shown)", "the variable WATCHWORD_ENCRYPTION_KEY")
    assert found["WATCHWORD_ANYTHING"] == ("(not read)", "a variable that is no setting")
    assert "c2VjcmV0" not in said


def test_every_number_has_bounds() -> None:
    checked = {"port", "operator_port", *(name for names, _, _ in BOUNDS for name in names)}
    numbers = {each.name for each in fields(Settings) if each.type in ("int", "float", "int | None")}
    assert numbers == checked


def test_every_misspelt_name_is_an_operators_error() -> None:
    with pytest.raises(OperatorError):
        require_spelled({"WATCHWORD_WORKER": "2"})
