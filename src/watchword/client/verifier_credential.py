"""Who asks which tokens are valid: a verifier credential, or, where nothing better is at hand, an access key.

Authorization: Bearer wwv_<16 hexadecimal digits>_<43 characters>
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime

from watchword.client.authentication import AccessKeyCredential, require_private
from watchword.client.fetching import Prove
from watchword.client.requests import Request
from watchword.clock import Clock, to_datetime
from watchword.wire.signature import signed_headers

_FORM = re.compile(r"wwv_[0-9A-Za-z]+_[0-9A-Za-z_-]+")


@dataclass(frozen=True, slots=True)
class VerifierCredential:
    """Good for asking which tokens are valid, and for nothing else; `watchword verifier create` makes one.

    Raises:
        ValueError: not a verifier credential.
    """

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _FORM.fullmatch(self.text):
            # An access key that is mixed up with it must not be sent as a bearer token, nor repeated in an error.
            raise ValueError("a verifier credential begins with wwv_; `watchword verifier create` makes one")


def prover(credential: VerifierCredential | AccessKeyCredential, endpoint: str, clock: Clock) -> Prove:
    """Choose how the credential proves itself to the endpoint.

    Raises:
        ValueError: a verifier credential would leave this machine unencrypted.
    """
    if isinstance(credential, AccessKeyCredential):
        return _signer(credential, clock)
    require_private(endpoint)
    headers = {"Authorization": f"Bearer {credential.text}"}
    return lambda _request, _host: headers


def _signer(credential: AccessKeyCredential, clock: Clock) -> Prove:
    def prove(request: Request, host: str) -> Mapping[str, str]:
        date = format_datetime(to_datetime(clock.micros()), usegmt=True)
        return signed_headers(
            credential.access_key, request.method, request.target, host=host, date=date, body=request.body
        )

    return prove
