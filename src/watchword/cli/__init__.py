"""The command line: thin commands over the plain functions of this package, the client library and the rules.

It decides nothing that a program could not decide as well; it asks, shows and explains.
"""

from __future__ import annotations

import gc
import sys

_OF_THE_SERVER_EXTRA = {"click", "httptools", "platformdirs", "rich", "uvicorn", "uvloop"}


def main() -> None:
    """The command `watchword`."""
    # Collecting garbage while modules load costs a tenth of the start; `server.listener` turns it on again.
    gc.disable()
    try:
        from watchword.cli.commands import watchword
        from watchword.cli.output import print_what_can_be_encoded

        print_what_can_be_encoded()
        watchword(prog_name="watchword")
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _OF_THE_SERVER_EXTRA:
            raise
        from watchword.errors import how_to_install

        sys.exit(f"The command line comes with the server. {how_to_install('server')}")
