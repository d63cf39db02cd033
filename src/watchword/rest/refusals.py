"""The contract's words for what the HTTP server refuses by itself, in the one shape of every error.

What is not HTTP at all is answered in plain text: whoever sent it reads no JSON.
"""

from __future__ import annotations

from watchword.errors import CallerError
from watchword.http.refusal import Refusal
from watchword.http.request_reader import NotHttp
from watchword.wire import headers
from watchword.wire.errors import INTERNAL, describe

_NOT_HTTP = b"Invalid HTTP request received."


def word_refusal(error: Exception) -> Refusal:
    """Of what is no caller's error its caller learns nothing but the request id."""
    request_id = headers.correlation_vector()
    told = (("ms-cv", request_id), ("request-context", headers.REQUEST_CONTEXT))
    if isinstance(error, NotHttp):
        return Refusal(400, "", (("content-type", "text/plain; charset=utf-8"), *told), _NOT_HTTP, request_id)
    worded = describe(error) if isinstance(error, CallerError) else INTERNAL
    return Refusal(worded.status, worded.code, (("content-type", headers.JSON_ERROR), *told), worded.body(), request_id)
