"""Addresses as somebody wrote them: what is read out of them, and what is refused before any name is asked for."""

import pytest

from watchword.errors import AddressRefused
from watchword.outbound.targets import Target, read_target


@pytest.mark.parametrize(
    ("address", "target", "authority"),
    [
        ("https://hooks.example/a?b=c", Target("https", "hooks.example", 443, "/a?b=c"), "hooks.example"),
        ("https://hooks.example:443", Target("https", "hooks.example", 443, "/"), "hooks.example"),
        ("HTTPS://Hooks.Example:8443/A", Target("https", "hooks.example", 8443, "/A"), "hooks.example:8443"),
        ("http://127.0.0.1:8080/x", Target("http", "127.0.0.1", 8080, "/x"), "127.0.0.1:8080"),
        ("https://[2001:DB8::1]/x", Target("https", "2001:db8::1", 443, "/x"), "[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", Target("https", "2001:db8::1", 8443, "/"), "[2001:db8::1]:8443"),
        ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443, "/"), "xn--bcher-kva.example"),
        ("https://hooks.example./x", Target("https", "hooks.example.", 443, "/x"), "hooks.example"),
        ("http://moderator/x", Target("http", "moderator", 80, "/x"), "moderator"),
    ],
)
def test_address_is_read_once_for_all(address: str, target: Target, authority: str) -> None:
    assert read_target(address) == target
    assert target.authority == authority


@pytest.mark.parametrize(
    "address",
    [
        *("", "hooks.example/x", "//hooks.example/x", "https:///x", "https://", "/x", "https:hooks.example"),
        *("ftp://hooks.example/x", "file:///x", "gopher://hooks.example/", "unix:/run/x", "ws://hooks.example/"),
        *("https://user@hooks.example/", "https://user:pass@hooks.example/", "https://:@hooks.example/"),
        *("https://hooks.example@169.254.169.254/", "https://@hooks.example/"),
        *("https://hooks.example/#x", "https://hooks.example/#", "https://hooks.example#@169.254.169.254/"),
        *("https://hooks.example\\@169.254.169.254/", "https:\\\\hooks.example/", "https://hooks.example /"),
        *("https://hooks.example/\r\nHost: other", "https://hooks.example\t/", "https://hooks.example/\0"),
        *("https://hooks..example/", "https://.example/", "https://-.example/", "https://hooks.example../"),
        *(
            "https://hooks%2eexample/",
            "https://127.0.0.1%2f.example/",
            "https://ho*ks.example/",
            f"https://{'a' * 64}/",
        ),
        f"https://{'a.' * 200}example/",
        f"https://hooks.example/{'a' * 2048}",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        read_target(address)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "0177.0.0.1",
            "127.0.0.01",
            "0x7f.0.0.1",
            "0x7f000001",
            "2130706433",
            "017700000001",
            "127.1",
            "127.0.1",
            "0",
        ),
        *("127.0.0.1.", "169.254.169.254.", "1.2.3.4.5", "256.1.1.1", "hooks.example.1", "hooks.0x", "00.0.0.0"),
        *("[fe80::1%25eth0]", "[fe80::1%eth0]", "[::ffff:127.0.0.1%1]", "[v1.x]", "[1.2.3.4]", "[::1", "::1", "[:::1]"),
    ],
)
def test_address_in_an_odd_spelling_is_refused_whatever_it_would_stand_for(host: str) -> None:
    with pytest.raises(AddressRefused):
        read_target(f"https://{host}/")


@pytest.mark.parametrize("host", ["127。0。0。1", "\uff11\uff12\uff17.0.0.1", "①②⑦.⓪.⓪.①", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"])
def test_host_in_other_scripts_is_refused_or_becomes_what_is_judged(host: str) -> None:
    """Full stops of other scripts are full stops; digits and letters that only look so are refused."""
    try:
        assert read_target(f"https://{host}/").host == "127.0.0.1"
    except AddressRefused:
        assert host != "127。0。0。1"


@pytest.mark.parametrize("port", [0, 1, 22, 25, 53, 110, 445, 1023, 2049, 6000, 6667, 65_536, 99_999])
def test_port_where_other_protocols_are_spoken_is_refused(port: int) -> None:
    with pytest.raises(AddressRefused):
        read_target(f"https://hooks.example:{port}/")


def test_refusal_repeats_nothing_of_the_address() -> None:
    with pytest.raises(AddressRefused) as refused:
        read_target("https://someone:s3cret@hooks.example/")
    assert "s3cret" not in str(refused.value)
