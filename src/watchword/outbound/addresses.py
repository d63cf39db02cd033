"""The one rule for every address that is called: public ones may, private ones and this machine's by setting, and what
stands for a network's inside, such as link-local ones and those of cloud metadata, never.

What is not on a list is not called: of IPv6 only 2000::/3 has public addresses. An IPv4 address within an IPv6 one is
judged as what it is; tunnels that nobody needs any more are never called. Where a network translates by a prefix of its
own (NAT64), nobody outside can know which addresses stand for IPv4 ones: there, the network has to see to it.

Source: the registries of special addresses of IANA (RFC 6890), and the documentation of the clouds.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from watchword.errors import AddressRefused, OperatorError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ip_network(text) for text in texts)


NEVER = _networks(
    *("0.0.0.0/8", "255.255.255.255/32", "240.0.0.0/4", "224.0.0.0/4"),  # Unspecified, broadcast, reserved, multicast.
    *("169.254.0.0/16", "fe80::/10", "fec0::/10"),  # Link-local, and the metadata of most clouds.
    # Metadata elsewhere: Alibaba's, Azure's wire server, and by IPv6 Amazon's, Google's, Oracle's and Scaleway's.
    *("100.100.100.200/32", "168.63.129.16/32"),
    *("fd00:ec2::/32", "fd20:ce::254/128", "fd00:c1::a9fe:a9fe/128", "fd00:42::42/128"),
    *("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15"),  # Of protocols and measurements; Oracle's metadata of old.
    *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20"),  # Of documentation.
    *("2001::/23", "2002::/16"),  # Teredo and others of protocols, 6to4.
)  # fmt: skip
LOOPBACK = _networks("127.0.0.0/8", "::1/128")
PRIVATE = _networks("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
PUBLIC = _networks("0.0.0.0/0", "2000::/3")
"""What of it is on no other list."""

_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Bits 64 to 96 of an address, before the IPv4 one."""


class AddressRule:
    """`allowed` are addresses and networks, as text, that may be called though they are private or this machine's.

    Raises:
        OperatorError: one of them is neither.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = [_read_network(text) for text in allowed]

    def require(self, address: str, scheme: str = "https") -> str:
        """The address, as it may be called: an IPv4 one that is mapped into IPv6 comes out as what it is.

        Raises:
            AddressRefused: it may not be called, or not without TLS.
        """
        try:
            found = ip_address(address)
        except ValueError:
            raise AddressRefused("What the name stands for is no address.") from None
        judged = _unwrapped(found)
        if _is_in(judged, NEVER):
            raise AddressRefused(f"{found} is an address that is never called: {_NEVER_CALLED}")
        is_loopback = _is_in(judged, LOOPBACK)
        if is_loopback or _is_in(judged, PRIVATE):
            if not _is_in(judged, self._allowed):
                what = "this machine's own" if is_loopback else "an address of a private network"
                raise AddressRefused(f"{found} is {what}, which is not called unless --outbound-networks holds it.")
        elif not _is_in(judged, PUBLIC):
            raise AddressRefused(f"{found} is an address that is never called: {_NEVER_CALLED}")
        elif scheme != "https":
            raise AddressRefused(f"{found} is a public address: it is called by https:// only.")
        return str(judged if isinstance(found, IPv6Address) and found.ipv4_mapped else found)


_NEVER_CALLED = "link-local, metadata, multicast, reserved, or a tunnel."


def _unwrapped(address: Address) -> Address:
    """What is reached in the end: the IPv4 address in an IPv6 one that stands for it.

    Raises:
        AddressRefused: it belongs to one interface of this machine, or to a tunnel within a site.
    """
    if isinstance(address, IPv4Address):
        return address
    if address.scope_id is not None:
        raise AddressRefused("An address has no zone.")
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        raise AddressRefused(f"{address} is an address that is never called: {_NEVER_CALLED}")
    return address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _read_network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise OperatorError(
            f"{text!r} is not an address or a network.", "Name what may be called like 127.0.0.1 or 10.0.0.0/8."
        ) from None
