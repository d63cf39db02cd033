"""How each shell sets a variable so that programs started from it see the value unchanged."""

import re
from collections.abc import Mapping
from enum import StrEnum

# PowerShell takes the typographic quotes for the plain one.
_POWERSHELL_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")


class Shell(StrEnum):
    SH = "sh"
    FISH = "fish"
    POWERSHELL = "powershell"


def guess_shell(environment: Mapping[str, str], platform: str) -> Shell:
    """The login shell tells; on Windows it is PowerShell, unless something set SHELL as Git Bash does."""
    login_shell = environment.get("SHELL", "").replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
    if login_shell == "fish":
        return Shell.FISH
    if login_shell in {"pwsh", "powershell"} or (platform == "win32" and not login_shell):
        return Shell.POWERSHELL
    return Shell.SH


def format_lines(variables: Mapping[str, str], shell: Shell) -> str:
    """One statement a line, to be evaluated by the shell.

    sh          eval "$(watchword env)"
    fish        watchword env | source
    PowerShell  watchword env | Out-String | Invoke-Expression
    """
    return "".join(_assign(name, value, shell) + "\n" for name, value in variables.items())


def _assign(name: str, value: str, shell: Shell) -> str:
    if shell is Shell.FISH:
        # The semicolon keeps the statements apart where `eval (watchword env)` joins the lines by blanks.
        return f"set -gx {name} {_quote_fish(value)};"
    if shell is Shell.POWERSHELL:
        return f"$env:{name} = {_quote_powershell(value)}"
    return f"export {name}={_quote_sh(value)}"


def _quote_sh(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def _quote_powershell(value: str) -> str:
    return "'" + _POWERSHELL_QUOTES.sub(r"\1\1", value) + "'"


def _quote_fish(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
