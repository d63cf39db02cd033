"""Settings as flags: made from their declarations in `watchword.settings`, so that each is described once.

    port: int = _setting(8443, "Port to listen on; ...")      ->  --port INTEGER  Port to listen on; ... (default 8443)
    tls: bool = _setting(True, "Whether to speak TLS; ...")   ->  --tls / --no-tls

A flag that is not given leaves the setting to the environment; `settings.load_settings` decides.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, fields
from functools import update_wrapper
from pathlib import Path
from typing import Any

import click

from watchword.cli.setting_checks import require_bounds, require_sense, require_spelled
from watchword.settings import CHOICES, PREFIX, SECRET_SETTINGS, Settings, load_settings

Command = Callable[..., None]

_TYPES: dict[str, Any] = {
    "Path": click.Path(path_type=Path),
    "int": int,
    "float": float,
    "str": str,
    "tuple[str, ...]": str,
}


def flag_settings() -> list[Field[Any]]:
    """The settings that have a flag. A secret has none: every user of a machine can read the arguments of all."""
    return [setting for setting in fields(Settings) if setting.name not in SECRET_SETTINGS]


def with_settings(
    only: Collection[str] | None = None, defaults: Mapping[str, Any] | None = None, hidden: Collection[str] = ()
) -> Callable[[Command], Command]:
    """Flags for all settings, or for some; the command receives `settings` as its first argument.

    `defaults` are the command's own, which neither flag nor environment has overruled. Flags of `hidden` settings are
    not in its help: they do nothing for it, or are refused in a sentence.
    """
    own = defaults or {}
    chosen = [setting for setting in flag_settings() if only is None or setting.name in only]

    def decorate(command: Command) -> Command:
        def run(**values: Any) -> None:
            flags = {setting.name: _joined(values.pop(setting.name)) for setting in chosen}
            for name, value in own.items():
                if flags.get(name) is None and not os.environ.get(PREFIX + name.upper()):
                    flags[name] = value
            require_spelled(os.environ)
            settings = load_settings(**flags)
            require_bounds(settings)
            if only is None:
                require_sense(settings)
            command(settings, **values)

        decorated: Command = update_wrapper(run, command)
        for setting in reversed(chosen):
            decorated = _option(setting, own.get(setting.name, setting.default), setting.name in hidden)(decorated)
        return decorated

    return decorate


def flag_of(setting: Field[Any]) -> str:
    """The flag as it is typed: `--data`, or `--tls / --no-tls`."""
    name = setting.name.replace("_", "-")
    return f"--{name} / --no-{name}" if setting.type == "bool" else f"--{name}"


def default_of(setting: Field[Any]) -> str:
    """The default as people read it; empty where there is none."""
    return spelled(setting.default)


def spelled(value: Any) -> str:
    """The value of a setting, as people read it and as the environment takes it; empty where there is none."""
    match value:
        case None:
            return ""
        case bool(value):
            return "on" if value else "off"
        case float(value):
            return f"{value:g}" if value < 1_000 else f"{value:.0f}"
        case tuple(values):
            return ",".join(values)
        case value:
            return str(value)


def _option(setting: Field[Any], default_value: Any, is_hidden: bool) -> Callable[[Command], Command]:
    kind = str(setting.type).removesuffix(" | None")
    default = spelled(default_value)
    unit = "" if setting.metadata["unit"] in ("", "path") else f"in {setting.metadata['unit']}"
    notes = ", ".join(filter(None, [unit, f"default {default}" if default else ""]))
    return click.option(
        flag_of(setting),
        setting.name,
        type=click.Choice(CHOICES[setting.name]) if setting.name in CHOICES else _TYPES.get(kind),
        hidden=is_hidden,
        default=None,
        multiple=kind == "tuple[str, ...]",
        help=setting.metadata["help"] + (f" ({notes})" if notes else ""),
    )


def _joined(value: Any) -> Any:
    """Several addresses come as one flag with commas or as several flags; none at all leave the setting alone."""
    if not isinstance(value, tuple):
        return value
    return tuple(part.strip() for text in value for part in text.split(",") if part.strip()) or None
