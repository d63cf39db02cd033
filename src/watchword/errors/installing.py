"""How what is missing is installed: from a clone or a wheel, since no registry has the package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def how_to_install(extra: str) -> str:
    """A sentence with what can be typed, for one of the package's extras."""
    try:
        wheel = f"watchword-{version('watchword')}-py3-none-any.whl"
    except PackageNotFoundError:
        # Without its metadata it runs from a folder that was unpacked or copied.
        wheel = "watchword-VERSION-py3-none-any.whl"
    return (
        f"Install it in a clone with: pip install '.[{extra}]', or from a wheel with: pip install './{wheel}[{extra}]'"
    )
