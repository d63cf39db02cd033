"""The rule: which addresses may be called, which by setting, and which never, in whatever form they come."""

import ipaddress

import pytest

from watchword.errors import AddressRefused, OperatorError
from watchword.outbound.addresses import AddressRule

EVERYTHING = ("0.0.0.0/0", "::/0")
METADATA = "169.254.169.254"
_NUMBER = int(ipaddress.IPv4Address(METADATA))


def within(prefix: str, *, shift: int, inverted: bool = False) -> str:
    """The metadata address within an IPv6 one, so many bits from its end."""
    number = _NUMBER ^ 0xFFFF_FFFF if inverted else _NUMBER
    return str(ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number << shift))


NEVER = [
    *(
        "0.0.0.0",
        "0.1.2.3",
        "169.254.0.1",
        METADATA,
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    ),
    *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.88.99.1", "203.0.113.7"),
    *("::", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "100::1", "5f00::1"),
    *("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "4000::1", "1::1"),
    *(f"::ffff:{METADATA}", "::ffff:a9fe:a9fe", "::ffff:0.0.0.0", "::ffff:224.0.0.1"),
    f"::{METADATA}",  # IPv4-compatible.
    "::127.0.0.1",
    f"64:ff9b::{METADATA}",
    "64:ff9b:1::1",  # NAT64 of a site.
    within("64:ff9b:1::", shift=0),
    within("2002::", shift=80),  # 6to4.
    "2002:7f00:1::1",
    within("2001::", shift=0, inverted=True),  # Teredo: the client's address is inverted.
    within("2001::", shift=64),
    within("2607:f8b0::5efe:0:0", shift=0),  # ISATAP.
    within("2607:f8b0::200:5efe:0:0", shift=0),
    *("", "localhost", "1.2.3", "0177.0.0.1", "2130706433"),
]


@pytest.mark.parametrize("address", NEVER)
def test_what_is_never_called_is_not_even_by_setting(address: str) -> None:
    with pytest.raises(AddressRefused):
        AddressRule(EVERYTHING).require(address)


OWN = ["127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::127.0.0.1"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "100.64.0.1", "fc00::1", "fd12::1"]
PRIVATE += ["::ffff:10.0.0.1", "64:ff9b::192.168.1.1"]


@pytest.mark.parametrize("address", OWN + PRIVATE)
def test_private_address_is_called_only_by_setting(address: str) -> None:
    with pytest.raises(AddressRefused, match="--outbound-networks"):
        AddressRule().require(address)
    assert AddressRule(EVERYTHING).require(address)


@pytest.mark.parametrize("address", OWN)
def test_loopback_that_is_allowed_allows_no_private_network(address: str) -> None:
    rule = AddressRule(("127.0.0.0/8", "::1"))
    assert rule.require(address, "http")
    with pytest.raises(AddressRefused, match="private"):
        rule.require("10.0.0.1")


def test_setting_allows_what_it_names_and_nothing_beside() -> None:
    rule = AddressRule(("10.1.0.0/16",))
    assert rule.require("10.1.2.3", "http") == "10.1.2.3"
    with pytest.raises(AddressRefused):
        rule.require("10.2.0.1")


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::1.1.1.1", "172.32.0.1"])
def test_public_address_is_called_with_tls_only(address: str) -> None:
    assert AddressRule().require(address) == str(ipaddress.ip_address(address))
    with pytest.raises(AddressRefused, match="https"):
        AddressRule(EVERYTHING).require(address, "http")


def test_mapped_address_is_called_as_what_it_is() -> None:
    assert AddressRule().require("::ffff:1.1.1.1") == "1.1.1.1"


def test_setting_that_is_no_network_is_refused_in_words() -> None:
    with pytest.raises(OperatorError, match="'localhost' is not an address or a network"):
        AddressRule(("localhost",))
