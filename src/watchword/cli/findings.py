"""What `doctor` finds: each finding is about one thing, and says what to do unless all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from watchword.errors import OperatorError

Status = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """`about` is what was looked at, such as `clock`; `remedy` is empty where nothing need be done."""

    about: str
    status: Status
    message: str
    remedy: str = ""


def ok(about: str, message: str) -> Finding:
    return Finding(about, "ok", message)


def warning(about: str, message: str, remedy: str) -> Finding:
    return Finding(about, "warning", message, remedy)


def problem(about: str, message: str, remedy: str) -> Finding:
    return Finding(about, "problem", message, remedy)


def told_by(about: str, error: OperatorError) -> Finding:
    """A problem that another part of Watchword has put into words already."""
    return Finding(about, "problem", error.message, error.remedy)
