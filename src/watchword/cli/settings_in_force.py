"""Which settings are in force for a command that is run here, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from watchword.cli.setting_checks import is_of_others
from watchword.cli.setting_flags import spelled
from watchword.server import development
from watchword.server.folders import find_folders
from watchword.settings import PREFIX, SECRET_SETTINGS, Settings, load_settings


@dataclass(frozen=True)
class InForce:
    """`value` is as people read it, and of a secret only that there is one; `origin` says where it comes from."""

    setting: str
    value: str
    origin: str


def settings_in_force(environment: Mapping[str, str]) -> list[InForce]:
    """Every setting, as `watchword serve` without a flag would have it.

    Raises:
        OperatorError: a variable cannot be read.
    """
    settings = load_settings(environment)
    return [*_known(settings, environment), *_unknown(environment)]


def _known(settings: Settings, environment: Mapping[str, str]) -> Iterator[InForce]:
    for setting in fields(Settings):
        variable, value = PREFIX + setting.name.upper(), getattr(settings, setting.name)
        is_default = value == setting.default
        shown = spelled(value) or (str(find_folders().server) if setting.name == "data" else "-")
        if setting.name in SECRET_SETTINGS and value:
            shown = "(set, and not shown)"
        origin = f"the variable {variable}" if environment.get(variable) else "the default"
        if is_default and origin == "the default" and setting.name in development.DEFAULTS:
            origin = f"the default; with `dev` {spelled(development.DEFAULTS[setting.name])}"
        yield InForce(setting.name, shown, origin)


def _unknown(environment: Mapping[str, str]) -> Iterator[InForce]:
    known = {PREFIX + setting.name.upper() for setting in fields(Settings)}
    for variable in sorted(environment):
        if variable.startswith(PREFIX) and variable not in known and not is_of_others(variable, environment):
            yield InForce(variable, "(not read)", "a variable that is no setting")
