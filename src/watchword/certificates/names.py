"""The names a certificate carries: host names and addresses, and which of them a constraint permits."""

import ipaddress
import re
from collections.abc import Iterable
from contextlib import suppress

from cryptography import x509

from watchword.errors import OperatorError

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")


_LOOPBACK: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_network("127.0.0.0/8")),
    x509.IPAddress(ipaddress.ip_network("::1/128")),
)


def constraints_for(more: Iterable[x509.GeneralName]) -> list[x509.GeneralName]:
    """What the local authority may sign for: this machine's own names; and the given names with all under them, and
    addresses.
    """
    return list(dict.fromkeys([*_LOOPBACK, *map(_constraint, more)]))


def _constraint(name: x509.GeneralName) -> x509.GeneralName:
    if isinstance(name, x509.DNSName):
        return x509.DNSName(name.value.removeprefix("*."))
    return x509.IPAddress(ipaddress.ip_network(name.value))


def parse_suffix(suffix: str | None) -> str | None:
    """The suffix without its leading dot, which RFC 5280 (section 4.2.1.10) does not know for DNS names.

    Raises:
        OperatorError: it is not a DNS name.
    """
    if not suffix:
        return None
    return _parse_dns_name(suffix.removeprefix("."))


def parse_name(name: str) -> x509.GeneralName:
    """An address, with or without brackets, or a DNS name, with or without a leading `*.`.

    Raises:
        OperatorError: it is neither.
    """
    try:
        return x509.IPAddress(ipaddress.ip_address(name.strip("[]")))
    except ValueError:
        wildcard = "*." if name.startswith("*.") else ""
        return x509.DNSName(wildcard + _parse_dns_name(name.removeprefix("*.")))


def permits(permitted: Iterable[x509.GeneralName], name: x509.GeneralName) -> bool:
    if isinstance(name, x509.DNSName):
        host = name.value.removeprefix("*.")
        suffixes = [each.value for each in permitted if isinstance(each, x509.DNSName)]
        return any(host == suffix or host.endswith("." + suffix) for suffix in suffixes)
    wanted = ipaddress.ip_network(name.value)
    networks = [ipaddress.ip_network(each.value) for each in permitted if isinstance(each, x509.IPAddress)]
    return any(
        wanted.version == network.version and wanted.subnet_of(network)  # type: ignore[arg-type]
        for network in networks
    )


def holds_for(names: Iterable[str], host: str) -> bool:
    """Whether a certificate with these names is one for the host (RFC 9525, section 6.3)."""
    host = host.lower().strip("[]").removesuffix(".")
    with suppress(ValueError):
        host = str(ipaddress.ip_address(host))
    parent = host.partition(".")[2]
    return any(name.lower() == host or (bool(parent) and name.lower() == f"*.{parent}") for name in names)


def format_names(names: Iterable[x509.GeneralName]) -> tuple[str, ...]:
    return tuple(str(name.value) for name in names)


def _parse_dns_name(name: str) -> str:
    lowered = name.lower().removesuffix(".")
    if len(lowered) > 253 or not _DNS_NAME.fullmatch(lowered):
        raise OperatorError(
            message=f"{name!r} is not a DNS name.",
            remedy="Write it like acs.example.internal; names in other scripts in their xn-- form.",
        )
    return lowered
