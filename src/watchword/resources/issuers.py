"""The name of the issuer of access tokens: what `iss` says, and `issuer` of the discovery document.

    https://acs.example             the public endpoint, by setting
    https://chat.acs.example:8443   else the host of the resource, where each has its own
    https://localhost:8443          else the address that the server announces

It is one text, whatever Host a request named: in lower case, and without a slash at the end. Resources that share a
host share the issuer, and their tokens differ by `aud`, which is the resource's id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from watchword.errors import OperatorError
from watchword.resources.store import Resource
from watchword.settings import Settings

_AUTHORITY = re.compile(r"(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
"""Nothing that a reader with the standard alphabet of base64 would stumble over. Source: identity.md section 4.3."""


@dataclass(frozen=True, slots=True)
class Issuers:
    """`shared` is the issuer of every resource without one of its own; `ending` that of the hosts of the others.

    `is_named` says whether tokens name their issuer and audience.
    """

    shared: str
    before_name: str = ""
    after_name: str = ""
    is_named: bool = True

    def of(self, name: str | None) -> str:
        """The issuer of the resource of this name; of no name, that of the hosts that resources share."""
        if not self.after_name or name is None:
            return self.shared
        return f"{self.before_name}{name.lower()}{self.after_name}"

    def named_in_tokens(self, resource: Resource) -> str | None:
        """What `iss` of the resource's tokens says, or None where tokens leave it out."""
        return self.of(resource.name) if self.is_named else None


def find_issuers(settings: Settings, announced: str | None = None) -> Issuers:
    """`announced` is the address under which the server tells that it is reached.

    Raises:
        OperatorError: an address has a character that readers of tokens would stumble over.
    """
    named = settings.issuer_and_audience
    if settings.public_endpoint:
        text = settings.public_endpoint if "://" in settings.public_endpoint else f"https://{settings.public_endpoint}"
        return Issuers(_checked(text, "public endpoint"), is_named=named)
    shared = announced or f"{'https' if settings.tls else 'http'}://localhost:{settings.port}"
    suffix = settings.resource_suffix.strip(".")
    shared = _checked(shared, "address")
    if not suffix:
        return Issuers(shared, is_named=named)
    parts = urlsplit(shared)
    before, after = f"{parts.scheme}://", f".{suffix.lower()}{f':{parts.port}' if parts.port else ''}"
    _checked(f"{before}name{after}", "resource suffix")
    return Issuers(shared, before, after, named)


def _checked(address: str, what: str) -> str:
    scheme, _, authority = address.rstrip("/").lower().partition("://")
    if not _AUTHORITY.fullmatch(authority):
        raise OperatorError(
            f"The {what} {address!r} cannot stand in access tokens, which name it as their issuer: it must be a host"
            " of ASCII letters, digits, dots and dashes, with an optional port.",
            "Write a name of another alphabet in its ASCII form, such as xn--bcher-kva.example.",
        )
    return f"{scheme}://{authority}"
