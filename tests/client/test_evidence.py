"""What a verifier has at hand: nothing is judged by it before it is whole."""

from datetime import timedelta

import pytest

from tests.client.pages import key_set, page_json
from tests.support.clock import stopped_clock
from tests.support.steady import Steady
from watchword.client.evidence import Evidence
from watchword.client.replies import Reply
from watchword.tokens.jwks import KeySet


def test_another_thread_does_not_judge_while_the_first_key_set_is_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence(
        stopped_clock(),
        Steady(),
        resources=None,
        issuer=None,
        leeway=timedelta(0),
        max_staleness=timedelta(seconds=10),
        when_stale="refuse",
    )
    evidence.subscriber.take(Reply(200, {}, page_json(snapshot=True).encode()), 0.0)
    seen: list[bool] = []
    read = KeySet.from_json

    def watched(body: bytes) -> KeySet:
        seen.append(evidence.settled)
        return read(body)

    monkeypatch.setattr(KeySet, "from_json", watched)
    evidence.take_key_set(Reply(200, {}, key_set().encode()), 0.0)
    assert seen == [False]
    assert evidence.settled
