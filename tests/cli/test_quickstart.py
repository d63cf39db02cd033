"""`watchword quickstart` prints what the original's quickstart prints, to the blank line."""

import re
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.support.commands import Home, Server, answer, refusal, run
from watchword.cli.connection import VARIABLES
from watchword.cli.javascript_date import format_javascript_date

pytestmark = pytest.mark.sqlite("the service that it starts is a `watchword dev`, which refuses PostgreSQL")

_ID = r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}"
EXPECTED = re.compile(
    rf"""Azure Communication Services - Access Tokens Quickstart

Created an identity: (?P<id>{_ID})

Issued an access token with 'voip' scope that expires at (?P<time>[^\n]+):
(?P<token>[\w-]+\.[\w-]+\.[\w-]+)

Successfully revoked all access tokens for identity with ID: (?P=id)

Deleted the identity with ID: (?P=id)
"""
)


CHAT = re.compile(
    rf"""Azure Communication Services - Chat Quickstart

Created an identity for Ada, with an access token of the scope 'chat': (?P<ada>{_ID})

Created an identity for Bob, with an access token of the scope 'chat': (?P<bob>{_ID})

Ada created a thread with Bob: 19:acsV1_[\w-]{{43}}1@thread.v2

Ada sent the message (?P<asked>\d{{13}})
Bob has read it, and sent the message (?P<replied>\d{{13}})
Ada has read it

Ada sees these read receipts:
Bob has read up to (?P=asked), at [\d:TZ-]+
Ada has read up to (?P=replied), at [\d:TZ-]+

Bob sees this thread:
(?P<time>[\d-]+ [\d:]+-0[78]:00)  Ada added Ada, Bob\.
[\d-]+ [\d:]+-0[78]:00  Ada set the topic: Lunch
[\d-]+ [\d:]+-0[78]:00  Ada: Shall we have lunch\?
[\d-]+ [\d:]+-0[78]:00  Bob: Gladly\. At noon\?

Successfully revoked all access tokens of Bob

Bob is refused: 401 Unauthorized\. Request is not authorized\. The tokens of this identity were revoked [^\n]+\.

Ada deleted the thread

Deleted both identities
"""
)


def test_chat_is_shown_by_a_service_of_its_own_and_leaves_nothing(home: Home) -> None:
    printed = answer(home, "quickstart", "--chat", environment={"TZ": "PST8PDT"})
    match = CHAT.fullmatch(printed)
    assert match, printed
    assert match["ada"] != match["bob"]
    assert list(home.temporary.iterdir()) == []
    assert not (home.folder / "data").exists()


def test_chat_is_shown_by_the_service_of_a_connection_string(shared_home: Home, shared_server: Server) -> None:
    text = shared_server.connection_string
    printed = answer(shared_home, "quickstart", "--chat", "--connection-string", text, environment={"TZ": "PST8PDT"})
    match = CHAT.fullmatch(printed)
    assert match, printed
    assert match["ada"].startswith("8:acs:dededede-")
    listed = answer(shared_home, "identity", "list", "--connection-string", text)
    assert match["ada"] not in listed
    assert match["bob"] not in listed


def test_without_anything_it_brings_its_own_service_and_leaves_nothing(home: Home) -> None:
    printed = answer(home, "quickstart", environment={"TZ": "PST8PDT"})
    match = EXPECTED.fullmatch(printed)
    assert match, printed
    assert re.fullmatch(
        r"\w{3} \w{3} \d\d \d{4} \d\d:\d\d:\d\d GMT-0[78]00 \(Pacific (Standard|Daylight) Time\)", match["time"]
    )
    assert list(home.temporary.iterdir()) == []
    assert not (home.folder / "data").exists()


@pytest.mark.parametrize("how", ["flag", "variable", "standard input"])
def test_with_a_connection_string_it_goes_to_that_service(shared_home: Home, shared_server: Server, how: str) -> None:
    text = shared_server.connection_string
    match how:
        case "flag":
            printed = answer(shared_home, "quickstart", "--connection-string", text)
        case "variable":
            printed = answer(shared_home, "quickstart", environment={VARIABLES[1]: text})
        case _:
            printed = answer(shared_home, "quickstart", "--connection-string-file", "-", given=f"{text}\n")
    match = EXPECTED.fullmatch(printed)
    assert match, printed
    assert match["id"].startswith("8:acs:dededede-")


def test_service_that_is_not_there_is_told_with_where_its_address_came_from(home: Home) -> None:
    text = "endpoint=http://127.0.0.1:9/;accesskey=c2VjcmV0"
    result = run(home, "quickstart", environment={VARIABLES[0]: text})
    assert (result.returncode, result.stdout.count("\n")) == (1, 1)
    assert "http://127.0.0.1:9" in result.stderr
    assert VARIABLES[0] in result.stderr
    assert "Traceback" not in result.stderr
    assert "c2VjcmV0" not in result.stderr


def test_connection_string_that_cannot_be_read_is_not_repeated(home: Home) -> None:
    complaint = refusal(home, "quickstart", "--connection-string", "endpoint=https://a.example;accesskey=%%%secret")
    assert "not base64" in complaint
    assert "secret" not in complaint


@pytest.mark.parametrize(
    ("zone", "offset", "expected"),
    [
        ("PST", timedelta(hours=-8), "Fri Nov 27 2020 16:47:05 GMT-0800 (Pacific Standard Time)"),
        ("UTC", timedelta(0), "Fri Nov 27 2020 16:47:05 GMT+0000 (Coordinated Universal Time)"),
        ("IST", timedelta(hours=5, minutes=30), "Fri Nov 27 2020 16:47:05 GMT+0530 (India Standard Time)"),
        ("IST", timedelta(hours=1), "Fri Nov 27 2020 16:47:05 GMT+0100 (Irish Standard Time)"),
        ("NST", timedelta(hours=-3.5), "Fri Nov 27 2020 16:47:05 GMT-0330 (Newfoundland Standard Time)"),
        ("XYZ", timedelta(hours=3), "Fri Nov 27 2020 16:47:05 GMT+0300 (XYZ)"),
        (
            "W. Europe Standard Time",
            timedelta(hours=1),
            "Fri Nov 27 2020 16:47:05 GMT+0100 (W. Europe Standard Time)",
        ),
    ],
)
def test_dates_have_javascripts_form(zone: str, offset: timedelta, expected: str) -> None:
    assert format_javascript_date(datetime(2020, 11, 27, 16, 47, 5, tzinfo=timezone(offset, zone))) == expected


def test_local_dates_agree_with_the_machines_zone() -> None:
    moment = datetime(2020, 7, 1, 12, tzinfo=UTC).astimezone()
    assert f"GMT{time.strftime('%z', moment.timetuple())}" in format_javascript_date(moment)
