"""What a moderator is asked, and what it answers: our own contract, a webhook like others.

POST <address>
Watchword-Signature: t=1764403200,v1=<HMAC-SHA256 of "<t>.<body>", in hexadecimal>
{"kind": "message", "resource": "...", "thread": "19:acsV1_...", "sender": "8:acs:...", "type": "html",
 "content": "...", "displayName": "Ada", "metadata": {"k": "v"}, "moment": "2026-11-29T08:00:00Z"}

{"action": "allow"}
{"action": "change", "content": "..."}
{"action": "refuse", "reason": "..."}
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Literal

import msgspec

SIGNATURE_HEADER = "Watchword-Signature"


class QuestionBody(msgspec.Struct, omit_defaults=True):
    """A part that there is none of is left out: `thread` of one that is to be made, `type` of a topic.

    `metadata` of an edit is the change: null or an empty text removes a key.
    """

    kind: Literal["message", "edit", "topic"]
    resource: str
    sender: str
    content: str
    moment: str
    thread: str | None = None
    type: str | None = None
    displayName: str | None = None
    metadata: Mapping[str, str | None] | None = None


class AnswerBody(msgspec.Struct):
    """`content` belongs to `change`, and `reason`, which may be left out, to `refuse`."""

    action: Literal["allow", "change", "refuse"]
    content: str | None = None
    reason: str | None = None


_decode = msgspec.json.Decoder(AnswerBody).decode


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    """The value of the header for a body that is sent so many seconds after 1970."""
    return f"t={seconds},v1={hmac.new(secret, b'%d.%b' % (seconds, body), hashlib.sha256).hexdigest()}"


def read_answer(body: bytes) -> AnswerBody:
    """Read what a moderator answers.

    Raises:
        ValueError: it is none of the three.
    """
    try:
        answer = _decode(body)
    except RecursionError:
        raise ValueError("the answer is nested too deeply") from None
    if answer.action == "change" and answer.content is None:
        raise ValueError("a change has no content")
    return answer
