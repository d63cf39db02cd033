"""Web pages of every origin call chat, and only chat is so open."""

from collections.abc import Iterator

import pytest

from tests.support.chat_users import ChatUser, new_user
from tests.support.servers import running_server
from tests.support.signed import Reply, Signed, SignedClient
from watchword.settings import Settings
from watchword.wire import chat
from watchword.wire.operations import Operation

PAGE = "https://app.example"
# Observed: chat.md section 2.6, sent by the JavaScript client in a browser.
SENT = (
    "authorization",
    "content-type",
    "repeatability-request-id",
    "x-ms-client-request-id",
    "x-ms-useragent",
    "x-skypetoken",
    "accept",
    "traceparent",
)


@pytest.fixture(scope="module")
def user() -> Iterator[ChatUser]:
    with running_server(Settings(request_log=False, tls=False)) as server, SignedClient(server) as client:
        yield new_user(client)


def preflight(user: ChatUser, method: str, target: str) -> Reply:
    headers = {
        "Host": user.client.host,
        "Origin": PAGE,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(SENT),
    }
    return user.client.send(Signed("OPTIONS", target, headers, b""))


@pytest.mark.parametrize("operation", chat.OPERATIONS, ids=lambda operation: operation.id)
def test_a_page_of_any_origin_is_told_beforehand_that_it_may(user: ChatUser, operation: Operation) -> None:
    target = operation.path.format(chatThreadId="19%3Ax%40thread.v2", chatMessageId="1")
    reply = preflight(user, operation.method, f"{target}?api-version=2025-03-15")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-max-age"] == "7200"
    assert operation.method in reply.headers["access-control-allow-methods"].split(", ")
    assert set(SENT) <= set(reply.headers["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in reply.headers


def test_every_answer_to_a_page_can_be_read_by_it(user: ChatUser) -> None:
    headers = {"Origin": PAGE}
    made = user.ask("POST", "/chat/threads", {"topic": "Lunch"}, headers=headers)
    refused = user.ask("GET", "/chat/threads/x", headers=headers)
    denied = user.with_token("x").ask("GET", "/chat/threads", headers=headers)
    unknown = user.ask("GET", "/chat/threads", version="2099-01-01", headers=headers)
    assert [each.status for each in (made, refused, denied, unknown)] == [201, 400, 401, 400]
    for reply in (made, refused, denied, unknown):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["access-control-expose-headers"] == "Location, Retry-After"


def test_an_answer_to_no_page_has_the_recorded_header(user: ChatUser) -> None:
    reply = user.ask("GET", "/chat/threads")
    assert reply.headers["access-control-expose-headers"] == "*"
    assert "access-control-allow-origin" not in reply.headers


@pytest.mark.parametrize("target", ["/identities", "/introspect", "/subscriptions", "/openapi.json", "/metrics"])
def test_nothing_else_is_open_to_every_page(user: ChatUser, target: str) -> None:
    for reply in (
        preflight(user, "GET", f"{target}?api-version=2023-10-01"),
        user.ask("GET", target, version="2023-10-01", headers={"Origin": PAGE}),
    ):
        assert not [name for name in reply.headers if name.startswith("access-control-")]
