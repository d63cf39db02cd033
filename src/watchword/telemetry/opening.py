"""Traces by setting; what they need is loaded where they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watchword.clock import Clock
from watchword.errors import OperatorError, how_to_install

if TYPE_CHECKING:
    from watchword.telemetry.tracing import Tracing


def open_tracing(clock: Clock) -> Tracing:
    """Make what sends traces, as the OTEL_* variables say.

    Raises:
        OperatorError: what traces need is not installed, or an OTEL_* variable cannot hold.
    """
    try:
        from watchword.telemetry.tracing import Tracing
    except ImportError:
        raise OperatorError("Traces need a library that is not installed.", how_to_install("otel")) from None
    try:
        return Tracing(clock)
    except ValueError as error:
        raise OperatorError(
            f"Traces cannot be set up: {error}", "Fix or unset the OTEL_* variable that is meant."
        ) from None
