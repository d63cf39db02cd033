"""What a service is to the rest of the server: a value, which `open_<name>(ground, doors)` of its folder makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from watchword.ground import Background, Ground
from watchword.rest.call import AnyBinding
from watchword.rest.doors import Doors
from watchword.storage.purge import Purge
from watchword.telemetry.levels import Gauge


@dataclass(frozen=True, slots=True)
class Service:
    """`background` runs while the server does; `purges` delete what the service keeps of a resource that is deleted."""

    bindings: Sequence[AnyBinding]
    background: Sequence[Background] = ()
    purges: Sequence[Purge] = ()
    gauges: Sequence[Gauge] = ()


OpenService: TypeAlias = Callable[[Ground, Doors], Service]
"""Makes a service: opens nothing, starts nothing, and asks the database nothing."""
