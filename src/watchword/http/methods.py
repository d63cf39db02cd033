"""The methods that an HTTP server has heard of."""

from __future__ import annotations

_OF_HTTP = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
_OF_WEBDAV = frozenset({"COPY", "LOCK", "MKCOL", "MOVE", "PROPFIND", "PROPPATCH", "REPORT", "UNLOCK"})
METHODS = _OF_HTTP | _OF_WEBDAV
"""With one of them a path says what it answers to (405); others nobody here knows (501)."""
