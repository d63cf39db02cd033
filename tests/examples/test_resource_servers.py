"""The example resource servers, as processes of their own: what they accept, and how soon they refuse what is revoked.

The official chat clients use a token of ours as their credential, over TLS, as they would against the original.
"""

import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from azure.communication.chat import ChatClient, CommunicationTokenCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from tests.support.polling import until
from tests.support.requirements import PROJECT, require
from tests.support.servers import running_server
from tests.support.tls import without_trust
from tests.support.verifiers import create_credential, delete_credential
from watchword.certificates import ensure_leaf, prepare_authority
from watchword.client import IdentityClient
from watchword.clock import SystemClock, to_datetime
from watchword.testing import RunningServer

EXAMPLES = PROJECT / "examples"
PACKAGES = PROJECT / "tests/sdk/js/node_modules"
BOUND_SECONDS = 10.0
"""`max_staleness` of both examples."""

Outcome = tuple[int, str]
"""The status, and the code of an error."""


@dataclass(frozen=True)
class ResourceServer:
    endpoint: str
    ca_file: Path

    def list_threads(self, token: str | None) -> Outcome:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        target = f"{self.endpoint}/chat/threads?api-version=2024-03-07"
        reply = httpx2.get(target, headers=headers, verify=ssl.create_default_context(cafile=self.ca_file))
        return reply.status_code, "" if reply.json() == {"value": []} else str(reply.json()["error"]["code"])


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: RunningServer) -> Iterator[IdentityClient]:
    with IdentityClient.from_connection_string(server.connection_string, verify=server.ca_file) as client:
        yield client


@pytest.fixture(scope="module", params=["python", "node"])
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What starts the example in one of its languages."""
    if request.param == "python":
        return [sys.executable, str(EXAMPLES / "resource_server.py")]
    require("node", "Node.js runs the example in JavaScript")
    require((PACKAGES / "jose").is_dir(), "`make test` installs the JOSE library that the example uses")
    folder = tmp_path_factory.mktemp("node")
    # Node looks for packages beside the program.
    (folder / "node_modules").symlink_to(PACKAGES)
    for program in EXAMPLES.glob("*.mjs"):
        (folder / program.name).write_bytes(program.read_bytes())
    return ["node", str(folder / "resource_server.mjs")]


@pytest.fixture(scope="module")
def example(
    command: list[str], server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ResourceServer]:
    with _running(command, server, create_credential(server), tmp_path_factory.mktemp("example")) as example:
        yield example


@contextmanager
def _running(command: list[str], server: RunningServer, credential: str, folder: Path) -> Iterator[ResourceServer]:
    """The example until the block ends, with a certificate of its own."""
    now = to_datetime(SystemClock().micros())
    authority, _ = prepare_authority(folder / "ca", now)
    leaf, _ = ensure_leaf(authority, folder / "tls", (), now=now)
    environment = without_trust() | {
        "WATCHWORD_ENDPOINT": server.endpoint,
        "WATCHWORD_VERIFIER": credential,
        "TLS_CERT": str(leaf.certificate_path),
        "TLS_KEY": str(leaf.key_path),
        "PORT": "0",
        "SSL_CERT_FILE": str(server.ca_file),
        "NODE_EXTRA_CA_CERTS": str(server.ca_file),
        "NO_PROXY": "localhost",
        "no_proxy": "localhost",
    }
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            greeting = process.stdout.readline()
            assert greeting.startswith("listening on "), log.read_text()
            yield ResourceServer(greeting.split()[-1], authority.certificate_path)
        finally:
            process.terminate()


def _with_python(example: ResourceServer, token: str) -> Outcome:
    with ChatClient(
        example.endpoint, CommunicationTokenCredential(token), connection_verify=str(example.ca_file)
    ) as chat:
        try:
            threads = list(chat.list_chat_threads())
        except ClientAuthenticationError as error:
            return 401, _code(error)
        except HttpResponseError as error:
            return error.status_code or 0, _code(error)
    assert threads == []
    return 200, ""


def _code(error: HttpResponseError) -> str:
    assert error.response is not None
    return str(json.loads(error.response.text())["error"]["code"])


def _with_javascript(example: ResourceServer, token: str) -> Outcome:
    require("node", "Node.js runs the official JavaScript client")
    require((PACKAGES / ".ready").is_file(), "`make test` installs the official JavaScript client")
    environment: Mapping[str, str] = without_trust() | {
        "CHAT_ENDPOINT": example.endpoint,
        "TOKEN": token,
        "NODE_EXTRA_CA_CERTS": str(example.ca_file),
        "NO_PROXY": "localhost",
        "no_proxy": "localhost",
    }
    program = PACKAGES.with_name("list_threads.mjs")
    result = subprocess.run(
        ["node", str(program)], env=dict(environment), capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    if "threads" in seen:
        assert seen == {"threads": 0}
        return 200, ""
    assert seen["error"] == "RestError"
    return seen["status"], seen["code"]


both_clients = pytest.mark.parametrize(
    "list_threads", [_with_python, _with_javascript], ids=["azure-communication-chat", "@azure/communication-chat"]
)


@pytest.fixture
def accepted(example: ResourceServer, client: IdentityClient) -> tuple[str, str]:
    """A user and a token with the scope `chat`, which the example is known to accept."""
    user, issued = client.create_user_and_token(["chat"])
    until(lambda: example.list_threads(issued.token), lambda outcome: outcome == (200, ""))
    return user.id, issued.token


@pytest.mark.usefixtures("accepted")
def test_who_proves_nothing_is_refused_in_the_contracts_words(example: ResourceServer) -> None:
    for token in (None, "no token", "no.token.atall"):
        assert example.list_threads(token) == (401, "Unauthorized")


def test_a_token_is_refused_within_the_bound_once_it_is_revoked(
    example: ResourceServer, accepted: tuple[str, str], client: IdentityClient
) -> None:
    user, token = accepted
    _, other = client.create_user_and_token(["chat.join.limited"])
    client.revoke_tokens(user)
    until(lambda: example.list_threads(token), lambda outcome: outcome == (401, "Unauthorized"), BOUND_SECONDS)
    assert example.list_threads(client.get_token(user, ["chat"]).token) == (200, "")
    assert example.list_threads(other.token) == (200, "")


def test_a_token_is_refused_once_its_identity_is_deleted(
    example: ResourceServer, accepted: tuple[str, str], client: IdentityClient
) -> None:
    user, token = accepted
    client.delete_user(user)
    until(lambda: example.list_threads(token), lambda outcome: outcome == (401, "Unauthorized"), BOUND_SECONDS)


@both_clients
def test_the_official_chat_clients_list_threads_until_the_token_is_revoked(
    list_threads: Callable[[ResourceServer, str], Outcome],
    example: ResourceServer,
    accepted: tuple[str, str],
    client: IdentityClient,
) -> None:
    user, token = accepted
    assert list_threads(example, token) == (200, "")
    client.revoke_tokens(user)
    until(lambda: example.list_threads(token), lambda outcome: outcome == (401, "Unauthorized"), BOUND_SECONDS)
    assert list_threads(example, token) == (401, "Unauthorized")


@both_clients
@pytest.mark.usefixtures("accepted")
def test_the_official_chat_clients_are_refused_without_the_scope(
    list_threads: Callable[[ResourceServer, str], Outcome], example: ResourceServer, client: IdentityClient
) -> None:
    _, calls_only = client.create_user_and_token(["voip"])
    assert list_threads(example, calls_only.token) == (403, "Forbidden")


def test_without_the_feed_a_live_token_is_refused(
    command: list[str], server: RunningServer, client: IdentityClient, tmp_path: Path
) -> None:
    credential = create_credential(server)
    delete_credential(server, credential)
    _, issued = client.create_user_and_token(["chat"])
    with _running(command, server, credential, tmp_path) as example:
        assert example.list_threads(issued.token) == (401, "Unauthorized")


def test_the_examples_ask_for_the_jose_library_that_is_tested() -> None:
    asked, tested = (
        json.loads(path.read_text(encoding="utf-8"))["dependencies"]["jose"]
        for path in (EXAMPLES / "package.json", PACKAGES.with_name("package.json"))
    )
    assert asked == tested


def test_the_example_in_python_has_forty_lines() -> None:
    assert len((EXAMPLES / "resource_server.py").read_text(encoding="utf-8").splitlines()) <= 40
