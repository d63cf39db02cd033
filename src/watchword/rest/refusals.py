"""The words for what the HTTP server refuses by itself: those of the contract that the path is of.

What is not HTTP at all is answered in plain text: whoever sent it reads no JSON.
"""

from __future__ import annotations

from collections.abc import Callable

from watchword.errors import CallerError, InternalFault
from watchword.http.refusal import Refusal, Wording
from watchword.http.request_reader import NotHttp
from watchword.rest.doors import Words
from watchword.wire import headers

_NOT_HTTP = b"Invalid HTTP request received."


def refusals_worded(find_words: Callable[[str], Words]) -> Wording:
    """`find_words` knows of whose contract a path is, also of one that leads nowhere."""

    def word(error: Exception, path: str) -> Refusal:
        """A caller learns nothing but the request id of what is no error of its own."""
        request_id = headers.correlation_vector()
        told = (("ms-cv", request_id), ("request-context", headers.REQUEST_CONTEXT))
        if isinstance(error, NotHttp):
            return Refusal(400, "", (("content-type", "text/plain; charset=utf-8"), *told), _NOT_HTTP, request_id)
        worded = find_words(path)(error if isinstance(error, CallerError) else InternalFault())
        return Refusal(
            worded.status, worded.code, (("content-type", headers.JSON_ERROR), *told), worded.body(), request_id
        )

    return word
