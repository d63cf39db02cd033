"""Rate limits: exact at the edge of a window that slides, for each kind and resource by itself."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.chat_users import new_user
from tests.support.signed import EARLY, NEWEST, SignedClient
from watchword.errors import OperatorError, TooManyRequests
from watchword.rest.limits import AZURE, Limit, Limits, parse_limits
from watchword.settings import Settings
from watchword.testing import MovableClock, running_server
from watchword.wire import chat, identity, verification

SECOND = timedelta(seconds=1)
IDENTITY_KINDS = ("create", "createWithToken", "delete", "issue", "revoke", "exchange")
WITH_TOKEN = {"createTokenWithScopes": ["chat"]}


def test_the_azure_profile_is_the_published_table() -> None:
    # Source: identity.md section 6, "Create identity 1000 / 30 s, Delete 500 / 30 s" and so on.
    published = {"create": 1000, "createWithToken": 1000, "delete": 500, "issue": 1000, "revoke": 500, "exchange": 500}
    found = parse_limits(["azure"])
    assert {kind: found[kind] for kind in published} == {
        kind: (Limit(requests, 30),) for kind, requests in published.items()
    }


def test_limits_are_read_one_by_one_and_have_the_better_of_the_profile() -> None:
    assert parse_limits([]) == {}
    assert parse_limits(["issue=200/10s", "create=5/1s"]) == {"issue": (Limit(200, 10),), "create": (Limit(5, 1),)}
    changed = {**AZURE, "issue": (Limit(5_000, 30),)}
    assert parse_limits(["azure", "issue=5000/30s"]) == parse_limits(["issue=5000/30s", "azure"]) == changed
    with pytest.raises(OperatorError, match="'issue=2/1s' is a second rate limit for issue"):
        parse_limits(["issue=1/1s", "issue=2/1s"])


_NO_LIMITS = [
    "",
    "Azure",
    "issue",
    "issue=0/1s",
    "issue=1/0s",
    "issue=1/1",
    "issue=-1/1s",
    "sell=1/1s",
    "issue=100000/1s",
]


@pytest.mark.parametrize("rule", _NO_LIMITS)
def test_what_is_no_limit_is_told_with_what_would_be(rule: str) -> None:
    with pytest.raises(OperatorError, match=r"issue=200/10s, .*; kinds are create, createWithToken, delete"):
        parse_limits([rule])


def test_a_window_slides_and_is_exact_at_its_edge() -> None:
    clock = MovableClock()
    clock.stop()
    limits = Limits({"issue": (Limit(3, 10),)}, clock)

    def take(resource: int = 1) -> None:
        limits.take(resource, identity.ISSUE, NEWEST, body=b"")

    take()
    clock.move(4 * SECOND)
    take()
    take()
    clock.move(6 * SECOND - timedelta(microseconds=1))
    with pytest.raises(TooManyRequests) as refused:
        take()
    assert refused.value.retry_after == timedelta(microseconds=1)
    # Another resource has a window of its own, and so has another kind; what is not limited has none.
    take(2)
    limits.take(1, identity.CREATE, NEWEST, body=b"")
    limits.take(1, verification.INTROSPECT, "", body=b"")
    clock.move(timedelta(microseconds=1))
    take()
    with pytest.raises(TooManyRequests) as refused:
        take()
    assert refused.value.retry_after == 4 * SECOND


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    clock = MovableClock()
    clock.stop()
    limits = Limits({"issue": (Limit(1, 10),)}, clock)
    limits.take(1, identity.ISSUE, NEWEST, body=b"")
    clock.move(-timedelta(days=1))
    limits.take(1, identity.ISSUE, NEWEST, body=b"")


def test_each_of_several_workers_has_its_share() -> None:
    limits = Limits({"issue": (Limit(5, 10),)}, MovableClock(), workers=2)
    for _ in range(3):
        limits.take(1, identity.ISSUE, NEWEST, body=b"")
    with pytest.raises(TooManyRequests):
        limits.take(1, identity.ISSUE, NEWEST, body=b"")


def test_a_creation_counts_as_what_its_body_asks_for() -> None:
    limits = Limits({"create": (Limit(3, 10),), "createWithToken": (Limit(1, 10),)}, MovableClock())
    for body in (
        b"",
        b'{"createTokenWithScopes":null}',
        b'{"createTokenWithScopes":[]}',
        b'{"createTokenWithScop\\u0065s":["chat"]}',
    ):
        limits.take(1, identity.CREATE, NEWEST, body=body)
    for body, kind in ((b"{}", "create"), (b'{"createTokenWithScopes":["chat"]}', "createWithToken")):
        with pytest.raises(TooManyRequests) as refused:
            limits.take(1, identity.CREATE, NEWEST, body=body)
        assert refused.value.kind == kind


def test_a_setting_that_cannot_be_read_is_told_before_anything_is_made(tmp_path: Path) -> None:
    # A first start shows an operator's token once, and would have had no occasion to.
    with (
        pytest.raises(OperatorError, match="'many' is no rate limit"),
        running_server(Settings(tls=False, rate_limits=("many",)), data=tmp_path / "data"),
    ):
        pass
    assert not (tmp_path / "data").exists()


def test_windows_that_nobody_uses_are_forgotten() -> None:
    clock = MovableClock()
    clock.stop()
    limits = Limits({"issue": (Limit(1, 10),)}, clock)
    for resource in range(1_000):
        limits.take(resource, identity.ISSUE, NEWEST, body=b"")
    clock.move(11 * SECOND)
    limits.take(1_000, identity.ISSUE, NEWEST, body=b"")
    assert len(limits._windows) == 1


def test_windows_are_gone_through_no_more_often_than_they_double() -> None:
    clock = MovableClock()
    clock.stop()
    limits = Limits({"issue": (Limit(1, 10),)}, clock)
    kept = []
    for resource in range(8_000):
        before = limits._windows
        limits.take(resource, identity.ISSUE, NEWEST, body=b"")
        if limits._windows is not before:
            kept.append(resource)
    assert kept == [1_000, 2_000, 4_000]


def test_a_refusal_has_the_contracts_shape_and_says_when_to_come_again() -> None:
    limits = ("create=2/10s", "createWithToken=1/10s", "issue=1/10s", "revoke=1/10s", "delete=1/10s")
    with running_server(Settings(tls=False, request_log=False, rate_limits=limits)) as server:
        server.clock.stop()
        with SignedClient(server) as client:
            first, second = client.new_identity(), client.new_identity()
            server.clock.move(2.5 * SECOND)
            # A stranger's request is refused as that, and spends nothing.
            assert client.call("POST", f"/identities?api-version={NEWEST}", key=b"wrong").status == 401
            reply = client.create()
            assert (reply.status, reply.error["code"]) == (429, "TooManyRequests")
            assert reply.error["message"].startswith("Rate limit exceeded.")
            assert reply.headers["retry-after"] == "8"
            assert "ms-cv" in reply.headers
            assert [client.create(WITH_TOKEN).status for _ in range(2)] == [201, 429]
            assert [client.issue(first).status for _ in range(2)] == [200, 429]
            assert [client.revoke(first).status, client.update(first, {"tokensValidFrom": None}).status] == [204, 429]
            assert [client.delete(first).status, client.delete(second, EARLY).status] == [204, 429]
            assert client.listed()
            server.clock.move(8 * SECOND)
            assert client.create().status == 201
            assert client.issue(second).status == 429


def test_the_azure_profile_has_the_published_table_of_chat() -> None:
    # Source: surroundings.md section 1.4, requests in ten seconds and in a minute.
    found = parse_limits(["azure"])
    numbers = {
        kind: [(limit.requests, limit.seconds) for limit in found[kind]] for kind in found if kind not in IDENTITY_KINDS
    }
    assert numbers == {
        "createThread": [(10, 10)],
        "deleteThread": [(10, 10)],
        "updateThread": [(5, 10)],
        "getThreads": [(50, 10)],
        "changeParticipants": [(10, 10), (30, 60)],
        "changeMessages": [(10, 10), (30, 60)],
        "listMessages": [(50, 10), (200, 60), (250, 10), (400, 60)],
        "sendReceipts": [(10, 10), (30, 60)],
        "sendTyping": [(5, 10), (15, 60), (10, 10), (30, 60)],
    }
    assert {operation.limit for operation in chat.OPERATIONS} - {""} == set(numbers)


def test_a_kind_of_chat_that_is_changed_loses_its_other_windows() -> None:
    changed = parse_limits(["azure", "changeMessages=100/10s"])["changeMessages"]
    assert changed == (Limit(100, 10, "thread"),)


def test_users_and_threads_have_windows_of_their_own_and_who_is_refused_spends_nothing() -> None:
    clock = MovableClock()
    clock.stop()
    limits = Limits(
        {"sendTyping": (Limit(2, 10, "user"), Limit(3, 60, "thread"), Limit(9, 60, "user in a thread"))}, clock
    )

    def take(user: str, thread: str) -> str | None:
        try:
            limits.take(1, chat.SEND_TYPING, "2025-03-15", body=b"", user=user, thread=thread)
        except TooManyRequests as refused:
            return refused.per
        return None

    assert [take("ada", "one") for _ in range(3)] == [None, None, "user"]
    assert [take("bob", "one") for _ in range(2)] == [None, "thread"]
    # The refused one was not counted for the user.
    assert [take("bob", "two") for _ in range(2)] == [None, "user"]
    clock.move(11 * SECOND)
    assert take("ada", "one") == "thread"
    clock.move(50 * SECOND)
    assert take("ada", "one") is None


def test_a_refusal_of_chat_has_both_shapes_and_says_when_to_come_again() -> None:
    with running_server(Settings(tls=False, request_log=False, rate_limits=("azure",))) as server:
        server.clock.stop()
        with SignedClient(server) as client:
            ada, bob = new_user(client), new_user(client)
            thread = ada.new_thread(bob)
            for user in (ada, bob) * 5:
                user.send(thread)
            reply = ada.ask("POST", f"{thread}/messages", {"content": "One more"})
            assert (reply.status, reply.headers["retry-after"]) == (429, "10")
            assert reply.json == {
                "error": {
                    "code": "TooManyRequests",
                    "message": "Rate limit exceeded. "
                    "Of changeMessages, 10 requests are answered in 10 seconds for each thread.",
                },
                "CommunicationError": {"Code": "TooManyRequests", "Message": "Rate limit exceeded.", "Details": []},
            }
            # A page of another origin is told as well.
            told = ada.ask("POST", f"{thread}/messages", {"content": "c"}, headers={"Origin": "https://app.example"})
            assert told.status == 429
            assert "Retry-After" in told.headers["access-control-expose-headers"]
            other = ada.new_thread()
            assert ada.send(other)
            server.clock.move(10 * SECOND)
            assert ada.send(thread)
