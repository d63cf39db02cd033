"""The signature against written-down vectors, and against whatever may be signed."""

import base64
import hmac
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.wire.signature import (
    Authorization,
    KeyedHash,
    SignedRequest,
    content_hash,
    parse_authorization,
    signature,
    signed_headers,
)

KEY = b"k" * 64
EMPTY_HASH = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

# Observed: what azure-communication-identity 1.5.0 (Python) and @azure/communication-identity 1.3.1 (JavaScript) sent.
PYTHON_TARGET = "/identities?api-version=2023-10-01"
PYTHON_VALUES = ("Sat, 21 Nov 2026 01:14:27 GMT", "localhost:18443", EMPTY_HASH)
PYTHON_SIGNATURE = "GYjuKmBsilloSgAgME1N+znYUnMHc5zcfhHiU3OMtfk="
JAVASCRIPT_TARGET = (
    "/identities/8%3Aacs%3A2dee53b4-368b-45b4-ab52-8493fb117652_00000005-14a2-493b-8a72-5a3a0d000081"
    "/:issueAccessToken?api-version=2023-10-01"
)
JAVASCRIPT_BODY = b'{"scopes":["chat","voip"]}'
JAVASCRIPT_VALUES = (
    "Sat, 21 Nov 2026 01:14:33 GMT",
    "localhost:18443",
    "EqW/vFkRi/EMVlRLG6+kt0X27SowO7NytIh/miHOZlY=",
)
JAVASCRIPT_SIGNATURE = "TEOOfJfSyVByeJA2mydtLxHjgbExV/6TrsLQ87IpGYk="

printable = st.text(st.sampled_from(string.digits + string.ascii_letters + " ,:;/%?&=-._~"), max_size=60)
keys = st.binary(min_size=1, max_size=80)


def test_the_official_python_clients_signature() -> None:
    assert signature(KEY, "POST", PYTHON_TARGET, values=PYTHON_VALUES) == PYTHON_SIGNATURE


def test_the_official_javascript_clients_signature() -> None:
    assert signature(KEY, "POST", JAVASCRIPT_TARGET, values=JAVASCRIPT_VALUES) == JAVASCRIPT_SIGNATURE
    assert content_hash(JAVASCRIPT_BODY) == JAVASCRIPT_VALUES[2]


def test_an_empty_body_has_a_hash() -> None:
    assert content_hash(b"") == EMPTY_HASH


def test_our_client_signs_as_the_official_one_does() -> None:
    date, host, _ = JAVASCRIPT_VALUES
    assert signed_headers(KEY, "POST", JAVASCRIPT_TARGET, host=host, date=date, body=JAVASCRIPT_BODY) == {
        "x-ms-date": date,
        "x-ms-content-sha256": JAVASCRIPT_VALUES[2],
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256"
        f"&Signature={JAVASCRIPT_SIGNATURE}",
    }


@given(
    key=keys,
    method=st.sampled_from(["GET", "POST"]),
    target=printable,
    host=printable,
    date=printable,
    body=st.binary(),
)
def test_what_the_client_signs_the_server_reads_and_finds_true(
    key: bytes, method: str, target: str, host: str, date: str, body: bytes
) -> None:
    headers = {
        name.lower(): value
        for name, value in signed_headers(key, method, target, host=host, date=date, body=body).items()
    }
    authorization = parse_authorization(headers["authorization"])
    assert authorization is not None
    values = [(headers | {"host": host})[name] for name in authorization.signed_headers]
    assert signature(key, method, target, values=values) == authorization.signature
    assert headers["x-ms-content-sha256"] == content_hash(body)


@pytest.mark.parametrize(
    ("method", "target", "values"),
    [
        ("GET", PYTHON_TARGET, PYTHON_VALUES),
        ("POST", PYTHON_TARGET.replace("-", "%2D", 1), PYTHON_VALUES),
        ("POST", PYTHON_TARGET + "&", PYTHON_VALUES),
        ("POST", PYTHON_TARGET, ("Sat, 21 Nov 2026 01:14:28 GMT", *PYTHON_VALUES[1:])),
        ("POST", PYTHON_TARGET, (PYTHON_VALUES[0], "localhost", PYTHON_VALUES[2])),
        ("POST", PYTHON_TARGET, (*PYTHON_VALUES[:2], content_hash(b"{}"))),
        ("POST", PYTHON_TARGET, (PYTHON_VALUES[1], PYTHON_VALUES[0], PYTHON_VALUES[2])),
    ],
    ids=["method", "path", "query", "date", "host", "body", "order"],
)
def test_every_part_of_the_request_counts(method: str, target: str, values: tuple[str, ...]) -> None:
    assert signature(KEY, method, target, values=values) != PYTHON_SIGNATURE


@given(key=st.binary(max_size=200), first=st.binary(), rest=st.binary())
def test_a_keyed_hash_is_hmac_however_it_is_parted(key: bytes, first: bytes, rest: bytes) -> None:
    begun = KeyedHash(key).after(first)
    assert begun.digest(rest) == begun.digest(rest) == hmac.digest(key, first + rest, "sha256")


@given(key=keys, target=printable, values=st.lists(printable, min_size=1, max_size=5), data=st.data())
def test_whichever_host_was_signed_is_found_and_no_other(
    key: bytes, target: str, values: list[str], data: st.DataObject
) -> None:
    host_at = data.draw(st.integers(0, len(values) - 1))
    signed = SignedRequest("POST", target, values, host_at=host_at, given=signature(key, "POST", target, values=values))
    begun = signed.begin(KeyedHash(key))
    assert signed.may_fit
    assert signed.fits(begun, values[host_at])
    assert not signed.fits(begun, values[host_at] + "/")
    assert not signed.fits(signed.begin(KeyedHash(key + b"x")), values[host_at])
    whole = f"POST\n{target}\n{';'.join(values)}"
    assert signed.size == len(whole) - len(values[host_at])


@given(st.text(max_size=60))
def test_what_no_key_can_have_made_fits_none(given_signature: str) -> None:
    signed = SignedRequest("POST", PYTHON_TARGET, PYTHON_VALUES, host_at=1, given=given_signature)
    assert not signed.may_fit
    assert not signed.fits(signed.begin(KeyedHash(KEY)), PYTHON_VALUES[1])


@given(st.binary(min_size=32, max_size=32))
def test_both_generations_of_signed_headers_are_read_in_their_order(raw: bytes) -> None:
    proof = base64.b64encode(raw).decode()
    for date in ("x-ms-date", "date"):
        header = f"HMAC-SHA256 SignedHeaders={date};host;x-ms-content-sha256&Signature={proof}"
        assert parse_authorization(header) == Authorization((date, "host", "x-ms-content-sha256"), proof)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "HMAC-SHA256",
        "HMAC-SHA256 ",
        "Bearer eyJ.e30.x",
        "HMAC-SHA256SignedHeaders=host&Signature=x",
        "HMAC-SHA256 SignedHeaders=host",
        "HMAC-SHA256 SignedHeaders=&Signature=x",
        "HMAC-SHA256 SignedHeaders=host&Signature=",
        "HMAC-SHA256 Signature=x&SignedHeaders=host",
        "HMAC-SHA256 Headers=host&Signature=x",
    ],
)
def test_what_is_not_of_that_form_is_none(value: str) -> None:
    assert parse_authorization(value) is None


@given(st.text())
def test_reading_never_raises(value: str) -> None:
    parse_authorization(value)
    parse_authorization(f"HMAC-SHA256 SignedHeaders={value}&Signature={value}")
