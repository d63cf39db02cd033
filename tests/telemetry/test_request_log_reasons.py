"""What somebody made up reaches the request log neither as a path nor within the reason of a refusal."""

import json
import logging
from collections.abc import Iterator

import httpx2
import pytest

from tests.support.chat_users import new_user
from tests.support.servers import running_server
from tests.support.signed import SignedClient
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


TYPED = "Tr0ub4dor"
"""What a user typed, wherever chat takes a text."""


def test_nothing_that_users_of_chat_typed_reaches_any_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.handler.setLevel(logging.DEBUG)
    with running_server(Settings(tls=False)) as server, SignedClient(server) as client:
        ada, bob = new_user(client), new_user(client)
        thread = ada.new_thread(bob, topic=TYPED, metadata={TYPED: TYPED})
        message = ada.send(thread, TYPED, senderDisplayName=TYPED, metadata={TYPED: TYPED})
        asked = [(method, target, body, "2024-06-05-preview") for method, target in TAKING for body in bodies(message)]
        asked += [(method, target, None, version) for method, target in PLACES for version in ("2025-03-15", TYPED)]
        statuses = {
            ada.ask(method, target.format(thread=thread, message=message), body, version=version).status
            for method, target, body, version in asked
        }
    assert statuses <= {200, 201, 204, 400, 403, 404, 405, 413, 501}
    assert {400, 404} <= statuses
    lines = [record.getMessage() for record in caplog.records]
    assert sum(record.name == "watchword.requests" for record in caplog.records) > len(asked)
    assert [line for line in lines if TYPED in line] == []


TAKING = [
    ("POST", "/chat/threads"),
    ("PATCH", "{thread}"),
    ("POST", "{thread}/messages"),
    ("PATCH", "{thread}/messages/{message}"),
    ("POST", "{thread}/participants/:add"),
    ("POST", "{thread}/participants/:remove"),
    ("POST", "{thread}/readReceipts"),
    ("POST", "{thread}/typing"),
]
PLACES = [
    *TAKING,
    ("GET", f"/chat/threads?maxPageSize={TYPED}"),
    ("GET", f"/chat/threads?startTime={TYPED}"),
    ("GET", f"/chat/threads?syncState={TYPED}"),
    ("GET", f"/chat/threads/{TYPED}"),
    ("GET", f"/chat/{TYPED}"),
    ("PUT", "{thread}"),
    ("GET", f"{{thread}}/messages/{TYPED}"),
    ("DELETE", f"{{thread}}/messages/{TYPED}"),
    ("GET", f"{{thread}}/messages?syncState={TYPED}"),
    ("GET", f"{{thread}}/participants?skip={TYPED}"),
    ("POST", "{thread}/images"),
]


def bodies(message: str) -> Iterator[object]:
    """Bodies of every shape that an operation takes, right and wrong."""
    named = [{"rawId": f"8:acs:{TYPED}"}, {"rawId": f"28:{TYPED}"}, {"phoneNumber": {"value": TYPED}}]
    named += [{"rawId": f"8:orgid:{TYPED}"}, {"rawId": TYPED, "communicationUser": {"id": "8:acs:x"}}]
    for identifier in named:
        yield {"topic": TYPED, "participants": [{"communicationIdentifier": identifier, "displayName": TYPED}]}
        yield identifier
    for wrong in (TYPED, [TYPED], {TYPED: TYPED}, {TYPED: 1}, 1, f"{TYPED}\0", TYPED * 5_000):
        yield {"topic": wrong, "metadata": wrong, "content": wrong, "type": wrong, "chatMessageId": wrong}
        yield {"topic": TYPED, "metadata": wrong, "content": TYPED, "senderDisplayName": wrong}
        yield {
            "topic": TYPED,
            "retentionPolicy": {"kind": wrong},
            "participants": wrong,
            "content": TYPED,
            "type": wrong,
        }
        yield {"chatMessageId": wrong, "senderDisplayName": wrong, TYPED: wrong}
    yield f'{{"topic": "{TYPED}'.encode()
    yield TYPED.encode()
    yield {"chatMessageId": message}
