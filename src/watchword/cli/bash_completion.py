"""Completion in bash of what has colons in it, such as `8:acs:...`.

Bash takes a colon for the end of a word: it hands over `8`, `:` and `acs` where `8:acs` was typed, and puts the answer
in the place of what follows the last colon alone.
"""

from __future__ import annotations

import os
from typing import Any

from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string


class ColonComplete(BashComplete):
    """Puts words together again, and answers what follows the last colon that was typed."""

    _is_done = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        words = split_arg_string(os.environ["COMP_WORDS"])
        position = int(os.environ["COMP_CWORD"])
        before, typed = _joined([*words[1:position], words[position] if position < len(words) else ""])
        self._is_done = typed[: typed.rfind(":") + 1]
        return before, typed

    def format_completion(self, item: CompletionItem[Any]) -> str:
        return f"{item.type},{item.value.removeprefix(self._is_done)}"


def complete_colons() -> None:
    """Let bash, of which the library knows words without colons only, be answered by this."""
    add_completion_class(ColonComplete, "bash")


def _joined(words: list[str]) -> tuple[list[str], str]:
    """The arguments before the last one, and the last one."""
    joined: list[str] = []
    for word in words:
        if joined and (word.startswith(":") or joined[-1].endswith(":")):
            joined[-1] += word
        else:
            joined.append(word)
    return joined[:-1], joined[-1] if joined else ""
