"""Which access key signed this request? Source: identity.md section 2.1.

    Authorization: HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=<base64>

Several official clients repeat a request with its old date and signature, and two equal requests within one second are
equal to the byte: there is no cache of seen signatures, on purpose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache

from watchword.bounded_cache import bounded_cache
from watchword.clock import Clock, to_micros
from watchword.errors import NotAuthenticated, TooLarge
from watchword.resources.access_keys import AccessKey, AccessKeys
from watchword.rest.callers import EVERYTHING, Caller
from watchword.rest.request import Request
from watchword.rest.resource_hosts import ResourceHosts
from watchword.wire import signature
from watchword.wire.signature import (
    CLOCK_SKEW,
    CONTENT_HASH_HEADER,
    DATE_HEADERS,
    SCHEME,
    KeyedHash,
    SignedRequest,
)

MOST_SIGNED_BYTES = 24_576
"""Of target and signed headers together. On a Host that is shared they are hashed under many keys, for a stranger too;
what official clients sign has some hundred bytes.
"""

_SKEW_MICROS = CLOCK_SKEW.total_seconds() * 1_000_000
_LONGEST_DATE = 64
_REMEMBERED_KEYS = 1_024
_TRAILING_SLASH = "The host was signed with a trailing slash: remove it from the endpoint that the client is given."
_CAPITALS = (
    "The host was signed with capital letters and sent without: write it in lower case in the endpoint that the client "
    "is given."
)
_NO_KEY_SIGNED = (
    "The signature is not of any access key of this resource, or the method, path, query, host or headers "
    "changed after signing; capital letters in the host are such a change."
)


class AccessKeyAuthenticator:
    """Proves that one of the access keys signed a request, whichever generation of client it came from."""

    def __init__(
        self,
        access_keys: AccessKeys,
        clock: Clock,
        public_host: str | None = None,
        *,
        hosts: ResourceHosts | None = None,
    ) -> None:
        self._access_keys = access_keys
        self._resource_hosts = hosts or ResourceHosts()
        self._clock = clock
        self._public_host = public_host
        self._keyed = lru_cache(_REMEMBERED_KEYS)(KeyedHash)

    async def authenticate(self, request: Request) -> Caller | None:
        """Find the access key that signed the request.

        Raises:
            NotAuthenticated: with one sentence that says what to fix, never one that helps to guess a key.
            TooLarge: more is signed than is hashed for whoever comes.
        """
        header = request.headers.get("authorization", "")
        if header[: len(SCHEME)].upper() != SCHEME:
            return None
        parsed = signature.parse_authorization(header)
        if parsed is None:
            raise _refused(request, "The Authorization header is not of the form SignedHeaders=...&Signature=...")
        values = _signed_values(request, parsed.signed_headers)
        self._require_fresh(request, parsed.signed_headers)
        if request.headers[CONTENT_HASH_HEADER] != signature.content_hash(request.body):
            raise _refused(request, f"The {CONTENT_HASH_HEADER} header is not the hash of the body that arrived.")
        host_at = parsed.signed_headers.index("host")
        signed = SignedRequest(request.method, request.target, values, host_at=host_at, given=parsed.signature)
        if signed.size > MOST_SIGNED_BYTES:
            raise TooLarge("signed head", MOST_SIGNED_BYTES)
        if not signed.may_fit:
            raise _refused(request, _NO_KEY_SIGNED)
        keys = await self._access_keys.candidates(self._resource_hosts.name(request))
        key = self._find_signer(signed, keys, request)
        if key.is_refused:
            # Only who knows the key learns it.
            raise NotAuthenticated("Access keys are disabled for this resource: its disableLocalAuth is on.")
        return Caller(key.resource, EVERYTHING, f"{key.slot} access key", key.id, key.id)

    def _find_signer(self, signed: SignedRequest, keys: Sequence[AccessKey], request: Request) -> AccessKey:
        # What stands before the host is hashed once a key, however many forms the host may have been signed in.
        begun: list[KeyedHash] = []
        for host in _hosts(request, self._public_host):
            for number, key in enumerate(keys):
                if number == len(begun):
                    begun.append(signed.begin(self._keyed(key.secret)))
                if signed.fits(begun[number], host):
                    return key
        # Who knows the key but built the client with a trailing slash is told so; nobody else learns anything.
        sent = request.headers["host"]
        if any(signed.fits(each, sent + "/") for each in begun):
            raise NotAuthenticated(_TRAILING_SLASH)
        # Observed: the Python client signs the endpoint as it is written, and sends it in lower case.
        if any(signed.fits(each, spelled) for spelled in (sent.upper(), sent.title()) for each in begun):
            raise NotAuthenticated(_CAPITALS)
        raise _refused(request, _NO_KEY_SIGNED)

    def _require_fresh(self, request: Request, signed_headers: tuple[str, ...]) -> None:
        name = next(name for name in DATE_HEADERS if name in signed_headers)
        sent = _parse_date(request.headers[name])
        if sent is None:
            raise _refused(request, f"The {name} header is not a date such as Sat, 21 Nov 2026 01:14:27 GMT.")
        behind = self._clock.micros() - sent
        if abs(behind) > _SKEW_MICROS:
            raise NotAuthenticated(
                f"The {name} header is {_duration(abs(behind))} {'behind' if behind > 0 else 'ahead of'} the server's "
                "clock, which is greater than the allowed margin of 5 minutes."
            )


def _refused(request: Request, reason: str) -> NotAuthenticated:
    """The refusal is for this reason, unless a header of the signature came twice, which is behind it then."""
    for name in ("Authorization", CONTENT_HASH_HEADER, *DATE_HEADERS):
        if _is_doubled(name, request.headers.get(name.lower(), "")):
            return NotAuthenticated(
                f"The {name} header was sent twice: two policies of one client sign the request, or a proxy repeats it."
            )
    return NotAuthenticated(reason)


def _is_doubled(name: str, value: str) -> bool:
    """Repeated headers are joined by commas (RFC 9110, section 5.3), of which a date has one of its own."""
    if name == "Authorization":
        return value.upper().count(f"{SCHEME} ") > 1
    parts = value.split(",")
    return len(parts) > 1 + (name in DATE_HEADERS) and all(part.strip() for part in parts)


def _signed_values(request: Request, names: tuple[str, ...]) -> list[str]:
    if "host" not in names or CONTENT_HASH_HEADER not in names or not any(name in names for name in DATE_HEADERS):
        raise NotAuthenticated(f"The signed headers must include host, {CONTENT_HASH_HEADER} and x-ms-date or date.")
    if len(set(names)) != len(names):
        # A header of some thousand bytes that is named some thousand times would make millions of them to hash.
        raise NotAuthenticated("The signed headers name one of them twice.")
    values = []
    for name in names:
        value = request.headers.get(name)
        if value is None:
            raise NotAuthenticated(f"The {name:.60} header is signed, but missing.")
        values.append(value)
    return values


def _hosts(request: Request, public_host: str | None) -> Iterator[str]:
    """The forms in which a client may have signed the host, each once: as sent, then with the port, without it, or the
    public one.

    Observed: Java signs and sends the bare host; all others sign the port unless it is the scheme's own.
    """
    sent = request.headers["host"]
    yield sent
    bare = _without_port(sent)
    forms = [bare, request.origin.partition("://")[2], public_host or ""]
    if bare == sent and request.server_port is not None:
        forms.append(f"{bare}:{request.server_port}")
    forms += map(_without_port, forms[1:3])
    yield from dict.fromkeys(form for form in forms if form and form != sent)


def _without_port(authority: str) -> str:
    host, _, port = authority.rpartition(":")
    return host if port.isdecimal() else authority


@bounded_cache(most_entries=256, longest_text=_LONGEST_DATE)
def _parse_date(text: str) -> int | None:
    """Microseconds since 1970. Clients of one second send the same text, and parsing it is slow."""
    if len(text) > _LONGEST_DATE:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return to_micros(moment) if moment.tzinfo is not None else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _duration(micros: int) -> str:
    minutes, seconds = divmod(round(micros / 1_000_000), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute"), (seconds, "second")]
    return " ".join(f"{count} {unit}{'s' if count > 1 else ''}" for count, unit in parts if count) or "0 seconds"
