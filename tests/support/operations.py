"""Every operation that the source declares, found by looking: none can be added past the tests."""

import importlib
import pkgutil
from collections.abc import Iterator

import watchword
from watchword.wire.operations import Operation


def all_operations() -> list[Operation]:
    """In the order of their modules, each once."""
    return list(dict.fromkeys(_declared()))


def _declared() -> Iterator[Operation]:
    for module in pkgutil.walk_packages(watchword.__path__, "watchword."):
        if module.name.startswith(("watchword.wire.", "watchword.rest.")):
            for value in vars(importlib.import_module(module.name)).values():
                yield from (each for each in _several(value) if isinstance(each, Operation))


def _several(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)
