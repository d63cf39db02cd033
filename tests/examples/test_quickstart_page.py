"""The program of docs/quickstart.md for chat runs as it stands, with the official clients, over TLS."""

import os
import re
import subprocess
import sys

from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from watchword.cli.connection import VARIABLES


def test_the_program_for_chat_creates_a_thread_and_sends_a_message() -> None:
    page = (PROJECT / "docs/quickstart.md").read_text(encoding="utf-8")
    begins = r"import os\nfrom azure\.communication\.chat "
    [program] = re.findall(rf"^```python\n({begins}.*?)^```", page, re.DOTALL | re.MULTILINE)
    with running_server() as server:
        environment = {
            **os.environ,
            VARIABLES[0]: server.connection_string,
            "REQUESTS_CA_BUNDLE": str(server.ca_file),
        }
        printed = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
        )
    assert re.fullmatch(r"19:acsV1_[\w-]{43}1@thread\.v2 \d{13}\n", printed.stdout), printed.stderr
