"""How a client connects: the keywords that those of Watchword's own operations take."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from watchword.client.retries import Retries
from watchword.client.transport import Verify
from watchword.clock import Clock, SystemClock


class ConnectionOptions(TypedDict, total=False):
    """`timeout` bounds each connecting, each sending and each receiving; `verify` is a CA file, a folder of them or an
    SSL context, where the machine's own store will not do.
    """

    retries: Retries
    timeout: timedelta | None
    verify: Verify
    clock: Clock


class ChosenOptions(TypedDict):
    """The same, all of them."""

    retries: Retries
    timeout: timedelta | None
    verify: Verify
    clock: Clock


def with_defaults(options: ConnectionOptions) -> ChosenOptions:
    return ChosenOptions(
        retries=options.get("retries", Retries()),
        timeout=options.get("timeout", timedelta(seconds=30)),
        verify=options.get("verify"),
        clock=options.get("clock", SystemClock()),
    )
