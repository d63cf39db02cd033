"""The trace of a caller stands in the log while none is made here."""

import json
import logging

import httpx2
import pytest

from tests.support.polling import until
from watchword.settings import Settings
from watchword.telemetry.trace_context import find_trace_id
from watchword.testing import running_server

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (f"00-{TRACE}-{SPAN}-01", TRACE),
        (f"00-{TRACE}-{SPAN}-00", TRACE),
        (f"01-{TRACE}-{SPAN}-01-more", TRACE),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE}-{SPAN}", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        ("", None),
    ],
)
def test_a_trace_id_is_read_as_the_standard_has_it(sent: str, found: str | None) -> None:
    assert find_trace_id({"traceparent": sent}) == found
    assert find_trace_id({}) is None


def test_the_log_names_the_trace_of_the_caller_while_traces_are_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    with running_server(Settings(tls=False)) as server:
        httpx2.get(f"{server.endpoint}/healthz", headers={"traceparent": f"00-{TRACE}-{SPAN}-01"})
        [line] = until(lambda: [json.loads(each) for each in caplog.messages], bool)
    assert line["traceId"] == TRACE
