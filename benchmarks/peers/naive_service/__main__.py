"""Run as `python -m benchmarks.peers.naive_service DATABASE`; prints its address once it listens.

`NAIVE_RESOURCE` and `NAIVE_ACCESS_KEY` say whose service it is.
"""

from __future__ import annotations

import copy
import os
import socket
import sys
from pathlib import Path

import uvicorn
from uvicorn.config import LOGGING_CONFIG

from benchmarks.peers.naive_service.app import create_app
from benchmarks.peers.naive_service.settings import Settings


def main() -> None:
    settings = Settings(Path(sys.argv[1]), os.environ["NAIVE_RESOURCE"], os.environ["NAIVE_ACCESS_KEY"])
    # The access log goes where the rest of the log goes: standard output is read only until the address is known.
    logging = copy.deepcopy(LOGGING_CONFIG)
    logging["handlers"]["access"]["stream"] = "ext://sys.stderr"
    config = uvicorn.Config(create_app(settings), loop="uvloop", http="httptools", log_config=logging)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(1_024)
    print(f"http://localhost:{listening.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
