"""The official chat clients, unmodified, over TLS: through every operation and every refusal."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.sdk.chat_contract", "tests.sdk.chat_refusals", "tests.sdk.chat_talk")

from tests.sdk.chat_client import Client, Program, running_client  # noqa: E402
from tests.sdk.chat_contract import (  # noqa: E402
    ChatContract,
    InvitationContract,
    MessageMetadataContract,
    NewestChatContract,
)
from tests.sdk.chat_refusals import ChatRefusals  # noqa: E402
from tests.sdk.chat_talk import Talk  # noqa: E402
from tests.sdk.java_client import java_command  # noqa: E402
from tests.sdk.programs import trusting_environment  # noqa: E402
from tests.support.requirements import PROJECT, require  # noqa: E402
from tests.support.signed import SignedClient  # noqa: E402
from watchword.testing import RunningServer  # noqa: E402

_FOLDER = Path(__file__).parent
_REFUSALS = (400, 401, 403, 404, 413)


def _python(kind: str, environment: str = "") -> Callable[[], Sequence[str]]:
    def command() -> Sequence[str]:
        own = PROJECT / environment
        require(not environment or (own / ".ready").is_file(), f"`make test` makes {environment}")
        python = str(own / "bin" / "python") if environment else sys.executable
        return [python, str(_FOLDER / "python" / "chat.py"), kind]

    return command


def _javascript() -> Sequence[str]:
    require("node", "Node.js runs the official JavaScript client")
    require((_FOLDER / "js" / "node_modules" / ".ready").is_file(), "`make test` installs the JavaScript clients")
    return ["node", str(_FOLDER / "js" / "chat.mjs")]


_PYTHON_ERRORS = dict.fromkeys(_REFUSALS, frozenset({"HttpResponseError"})) | {
    401: frozenset({"ClientAuthenticationError"}),
    404: frozenset({"ResourceNotFoundError"}),
}
PYTHON = Client("python sync", _python("sync"), _PYTHON_ERRORS)
AIO = Client("python aio", _python("aio"), _PYTHON_ERRORS)
OLDER = [
    Client(f"python {version} {kind}", _python(kind, f".venv-sdk-chat-{version}"), _PYTHON_ERRORS)
    for version in ("1.0", "1.1", "1.2")
    for kind in ("sync", "aio")
]
JAVASCRIPT = Client("javascript", _javascript, dict.fromkeys(_REFUSALS, frozenset({"RestError"})))
# Lists let the generated error through.
_JAVA_NAMES = frozenset({"ChatErrorResponseException", "CommunicationErrorResponseException"})
_JAVA_ERRORS = dict.fromkeys(_REFUSALS, _JAVA_NAMES)
JAVA = Client("java", lambda: java_command("Chat", "2021-09-07"), _JAVA_ERRORS)


@pytest.fixture(scope="module")
def programs(server: RunningServer, bundles: Path) -> Iterator[Callable[[Client], Program]]:
    """Each client's program is started once."""
    environment = trusting_environment(server, bundles)
    started: dict[str, Program] = {}
    ends = []

    def start(client: Client) -> Program:
        if client.name not in started:
            running = running_client(client, server.endpoint, environment)
            started[client.name] = running.__enter__()
            ends.append(running)
        return started[client.name]

    yield start
    for running in ends:
        running.__exit__(None, None, None)


@pytest.fixture
def talk(client: Client, programs: Callable[[Client], Program], server: RunningServer) -> Iterator[Talk]:
    program = programs(client)
    with SignedClient(server) as signed:
        yield Talk(program, signed)


EVERY = [PYTHON, AIO, *OLDER, JAVASCRIPT, JAVA]


def since(first: str) -> list[Client]:
    """Without the Python clients that are older."""
    return [each for each in EVERY if each not in OLDER or each.name >= f"python {first}"]


@pytest.mark.parametrize("client", EVERY, ids=str)
class TestChat(ChatContract, ChatRefusals):
    """Whatever all of them can say."""


@pytest.mark.parametrize("client", since("1.1"), ids=str)
class TestMessageMetadata(MessageMetadataContract):
    """Python learned it with 1.1."""


@pytest.mark.parametrize("client", since("1.2"), ids=str)
class TestInvitations(InvitationContract):
    """Before 1.2 the Python client looks for it under a name that no answer has."""


@pytest.mark.parametrize("client", [JAVASCRIPT], ids=str)
class TestNewestChat(NewestChatContract):
    """What the clients of the newest api-version can say."""
