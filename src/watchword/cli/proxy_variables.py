"""The variables by which programs send their requests to a proxy, and those by which they spare loopback that.

HTTPS_PROXY  HTTP_PROXY  ALL_PROXY    and each in lower case: which proxy; programs differ in whose word counts
NO_PROXY                              and in lower case: hosts that are reached directly, separated by commas
"""

from collections.abc import Mapping

from watchword.certificates.names import LOOPBACK_NAMES

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_EXCEPTIONS = ("NO_PROXY", "no_proxy")
_EVERYTHING = "*"


def proxies_in_force(environment: Mapping[str, str]) -> list[str]:
    """The variables that name a proxy."""
    return [name for proxy in _PROXIES for name in (proxy, proxy.lower()) if environment.get(name)]


def without_proxy(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables to set so that loopback is reached directly; none where no proxy is in force.

    On macOS and Windows any of them makes Python forget the system's own proxy, hence only where one is named here.
    """
    if not proxies_in_force(environment):
        return {}
    found = [environment[name] for name in _EXCEPTIONS if environment.get(name)]
    return {name: _extended(environment.get(name) or next(iter(found), "")) for name in _EXCEPTIONS}


def loopback_goes_to_a_proxy(environment: Mapping[str, str]) -> list[str]:
    """The variables that lead a program which obeys them to a proxy, even for a server on this machine."""
    lists = [_hosts(environment[name]) for name in _EXCEPTIONS if environment.get(name)]
    if any(_EVERYTHING in hosts or "localhost" in hosts for hosts in lists):
        return []
    return proxies_in_force(environment)


def _extended(text: str) -> str:
    hosts = _hosts(text)
    if _EVERYTHING in hosts:
        return text
    return ",".join(
        [*filter(None, [text.strip().rstrip(",")]), *(name for name in LOOPBACK_NAMES if name not in hosts)]
    )


def _hosts(text: str) -> list[str]:
    return [host.strip().lower() for host in text.split(",") if host.strip()]
