"""JAVA_TOOL_OPTIONS as the Java virtual machine reads it: options between blanks, quotes of either kind, no escapes."""

import re
from collections.abc import Iterable

_OPTION = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
_WELL_FORMED = re.compile(r"""(?:\s|[^\s'"]|'[^']*'|"[^"]*")*""")
_QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")


def split_options(text: str) -> list[str]:
    """The options with their quotes, as they were written.

    Raises:
        ValueError: a quote is never closed; the virtual machine would refuse to start.
    """
    if not _WELL_FORMED.fullmatch(text):
        raise ValueError("a quote is never closed")
    return _OPTION.findall(text)


def find_property(options: Iterable[str], name: str) -> str | None:
    """The value of `-D<name>=`; the last one counts, as in Java."""
    found = None
    for option in map(_unquote, options):
        if option.startswith(f"-D{name}="):
            found = option.partition("=")[2]
    return found


def without_properties(options: Iterable[str], names: Iterable[str]) -> list[str]:
    unwanted = tuple(f"-D{name}=" for name in names)
    return [option for option in options if not _unquote(option).startswith(unwanted)]


def format_property(name: str, value: str) -> str:
    return f"-D{name}={_quote(value)}"


def _unquote(option: str) -> str:
    return _QUOTED.sub(lambda quoted: quoted[1] or quoted[2] or "", option)


def _quote(value: str) -> str:
    if not re.search(r"[\s'\"]", value):
        return value
    return "'\"'".join(f'"{piece}"' for piece in value.split('"'))
