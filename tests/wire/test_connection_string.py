"""Connection strings: every order and case is read, one form is written, and a key is never repeated."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.errors import InvalidConnectionString
from watchword.wire.connection_string import (
    ConnectionString,
    decode_access_key,
    parse_connection_string,
    parse_endpoint,
)

KEY = base64.b64encode(b"k" * 64).decode()

hosts = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z]{2,6}){0,2}|\[::1\]|127\.0\.0\.1", fullmatch=True)
ports = st.none() | st.integers(1, 65_535)
keys = st.binary(min_size=1, max_size=80)
spellings = st.tuples(
    *(st.sampled_from([name, name.upper(), name.title(), f" {name} "]) for name in ("endpoint", "accesskey"))
)


@given(st.sampled_from(["http", "https"]), hosts, ports, keys)
def test_what_is_written_is_read_back(scheme: str, host: str, port: int | None, key: bytes) -> None:
    written = ConnectionString(f"{scheme}://{host}{'' if port is None else f':{port}'}", key)
    assert parse_connection_string(str(written)) == written


@given(hosts, keys, spellings, st.permutations([0, 1, 2]), st.sampled_from(["", "/", "//"]), st.booleans())
def test_order_case_blanks_and_further_parts_do_not_matter(
    host: str, key: bytes, names: tuple[str, str], order: list[int], slash: str, semicolon: bool
) -> None:
    parts = [f"{names[0]}=https://{host}{slash}", f"{names[1]}={base64.b64encode(key).decode()}", "region=here"]
    text = ";".join(parts[index] for index in order) + ";" * semicolon
    assert parse_connection_string(f" {text}\n") == ConnectionString(f"https://{host}", key)


def test_the_written_form_is_the_one_that_every_official_client_reads() -> None:
    written = str(ConnectionString("https://localhost:8443", b"k" * 64))
    assert written == f"endpoint=https://localhost:8443/;accesskey={KEY}"


def test_a_host_without_a_scheme_is_https() -> None:
    assert parse_endpoint("contoso.communication.azure.com") == "https://contoso.communication.azure.com"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "'endpoint'"),
        ("endpoint=https://h", "'accesskey'"),
        (f"accesskey={KEY}", "'endpoint'"),
        (f"endpoint=;accesskey={KEY}", "'endpoint'"),
        (f"endpoint https://h;accesskey={KEY}", "'endpoint'"),
        (f"endpoint=ftp://h;accesskey={KEY}", "http"),
        (f"endpoint=https://h/path;accesskey={KEY}", "path"),
        (f"endpoint=https://h?x=1;accesskey={KEY}", "path"),
        (f"endpoint=https://user:password@h;accesskey={KEY}", "user"),
        (f"endpoint=https://h:port;accesskey={KEY}", "http"),
        (f"endpoint=https://h:99999;accesskey={KEY}", "http"),
        (f"endpoint=https://[::1;accesskey={KEY}", "http"),
        ("endpoint=https://h;accesskey=not base64!", "base64"),
        ("endpoint=https://h;accesskey=a", "base64"),
        ("endpoint=https://h;accesskey==", "base64"),
    ],
)
def test_what_is_wrong_is_named_and_the_key_is_not(text: str, named: str) -> None:
    with pytest.raises(InvalidConnectionString) as raised:
        parse_connection_string(text)
    assert named in str(raised.value)
    assert KEY not in str(raised.value)
    assert "password" not in str(raised.value)


@given(st.text())
def test_whatever_is_read_is_refused_in_one_way_only(text: str) -> None:
    for attempt in (text, f"endpoint={text};accesskey={KEY}", f"endpoint=https://h;accesskey={text}"):
        try:
            parsed = parse_connection_string(attempt)
        except InvalidConnectionString:
            continue
        assert parse_connection_string(str(parsed)) == parsed


def test_a_key_does_not_show_in_a_printed_value() -> None:
    assert "kkk" not in repr(ConnectionString("https://h", b"k" * 64))


@pytest.mark.parametrize("text", ["", "====", "a2V5\n", "a2V5 ", "a2V_", "é"])
def test_a_key_is_strict_base64(text: str) -> None:
    with pytest.raises(InvalidConnectionString):
        decode_access_key(text)
