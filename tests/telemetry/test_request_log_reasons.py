"""What somebody made up reaches the request log neither as a path nor within the reason of a refusal."""

import json
import logging

import httpx2
import pytest

from tests.support.servers import running_server
from watchword.settings import Settings


@pytest.mark.parametrize("typed", ["secret%0Aforged", "secret%1b%5b2J", "8%3Aacs%3Asecret"])
def test_a_refused_api_version_puts_nothing_of_the_path_into_the_log(
    typed: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "watchword.requests")
    with running_server(Settings()) as server, httpx2.Client(verify=server.client_tls()) as client:
        url = f"{server.endpoint}/identities/{typed}/:issueAccessToken?api-version=1%0Aforged%1b{'x' * 100}"
        message = client.post(url).json()["error"]["message"]
    [line] = [record.getMessage() for record in caplog.records if record.name == "watchword.requests"]
    entry = json.loads(line)
    assert entry["reason"] == message
    assert f"'{server.endpoint}/identities/{{id}}/:issueAccessToken'" in message
    assert "secret" not in line
    assert message.isprintable()
    assert "x" * 60 not in message
