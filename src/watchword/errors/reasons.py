"""What the system or a library said of a failure, as a sentence for people repeats it."""

from __future__ import annotations

import re

_NUMBERS = re.compile(r"\[(?:Errno|WinError|SSL)[^\]]*\] | \(_ssl\.c:\d+\)")


def reason_of(error: BaseException) -> str:
    """Its words without the numbers that only programmers look up; its kind, where it has no words."""
    return _NUMBERS.sub("", str(error)) or type(error).__name__
