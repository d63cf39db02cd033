"""Generated requests to chat, right and wrong, against what we say we serve and what Azure published.

As `test_schemathesis` has it for access keys; here a user calls, with a token.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import BaseSchema, GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance
from schemathesis.core.result import Ok

from tests.rest.test_schemathesis import CHAT, AnyCase, AnyOperation, modes, untimed
from tests.support.chat_users import ChatUser, new_user
from tests.support.data import Rows, looking
from tests.support.requirements import shared
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.testing import RunningServer
from watchword.wire import chat
from watchword.wire import chat_versions as versions
from watchword.wire.chat_errors import ChatErrorResponse

CHECKS = [content_type_conformance, response_schema_conformance]
OFTEN = (versions.V2021_03_07, versions.V2024_06_05_PREVIEW, versions.V2025_03_15)
"""The first, the fullest and the newest; the others differ in what these differ in."""

REFUSED = {(each.method, each.path) for each in chat.REFUSED}


class Bearer(requests.auth.AuthBase):
    """Whatever a document's security says, the request is the user's."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Talker:
    """A user with threads, and a look into the database."""

    def __init__(self, server: RunningServer, session: requests.Session, signed: SignedClient, query: Any) -> None:
        self.server = server
        self.session = session
        self.query: Callable[[str], Rows] = query
        self.ada: ChatUser = new_user(signed)
        self.bob: ChatUser = new_user(signed)
        session.auth = Bearer(self.ada.token)

    def parts(self) -> dict[str, str]:
        """A thread with a message of the caller's, both new."""
        thread = self.ada.new_thread(self.bob)
        return {"chatThreadId": thread.rpartition("/")[2], "chatMessageId": self.ada.send(thread)}

    def state(self) -> tuple[Rows, ...]:
        """What a refused request must leave as it is."""
        return (
            self.query("select count(*), max(version), sum(change) from threads"),
            # What was deleted goes by itself, sooner or later.
            self.query(
                "select count(*), max(m.version) from messages m join threads t on t.number = m.thread "
                "where t.deleted_millis is null"
            ),
            self.query("select count(*), max(read_millis) from participants"),
        )

    def try_out(self, case: AnyCase) -> int:
        before = self.state()
        reply = case.call(session=self.session, verify=self.session.verify, timeout=10)
        is_refused = (case.method, case.operation.path) in REFUSED
        # What is empty has no type, whatever a document says of all answers at once.
        if reply.content and not is_refused:
            case.validate_response(reply, checks=CHECKS)
        assert is_refused == (reply.status_code == 501) or reply.status_code == 400
        if not is_refused:
            case.validate_response(reply, checks=[not_a_server_error])
        if reply.status_code >= 400:
            assert self.state() == before, "a refused request changed something"
            assert msgspec.json.decode(reply.content, type=ChatErrorResponse).error.message
            assert reply.status_code != 401, reply.text
        return int(reply.status_code)


@pytest.fixture(scope="module")
def talker() -> Iterator[Talker]:
    with running_server() as server, requests.Session() as session, SignedClient(server) as signed:
        session.trust_env = False
        session.verify = str(server.ca_file)
        with looking(server) as query:
            yield Talker(server, session, signed, query)


@st.composite
def cases(
    draw: st.DrawFn, operation: AnyOperation, mode: GenerationMode, version: str | None, parts: dict[str, str]
) -> AnyCase:
    """Mostly of the thread and the message that are there, of an api-version that is served, and of a user who is."""
    case = draw(operation.as_strategy(generation_mode=mode))
    for name in parts.keys() & case.path_parameters.keys():
        if draw(st.integers(0, 7)):
            case.path_parameters[name] = parts[name]
    if draw(st.integers(0, 7)):
        case.query = {**(case.query or {}), "api-version": version or versions.V2025_03_15}
    # Nobody guesses a cursor; and what is no HTTP never reaches an operation.
    case.query.pop("syncState", None)
    for name in {"content-length", "transfer-encoding"}.intersection(map(str.lower, case.headers)):
        del case.headers[name]
    if isinstance(case.body, dict) and mode is GenerationMode.POSITIVE:
        # Documents say text where only a message's id will do, or a user's.
        fitting: dict[str, Any] = {"chatMessageId": parts["chatMessageId"], "participants": []}
        if draw(st.integers(0, 3)):
            fitting |= {"retentionPolicy": {"kind": "none"}, "topic": "Lunch", "metadata": {"k": "v"}, "type": "text"}
        needed = {"participants"} if operation.path.endswith(":add") else set()
        case.body |= {name: value for name, value in fitting.items() if name in {*case.body, *needed}}
    return case


def try_operation(talker: Talker, operation: AnyOperation, mode: GenerationMode, version: str | None) -> set[int]:
    statuses: set[int] = set()
    parts = talker.parts()

    @untimed
    @given(st.data())
    def try_out(data: st.DataObject) -> None:
        nonlocal parts
        if operation.method.upper() == "DELETE":
            # What was deleted is not there any more for the next one.
            parts = talker.parts()
        statuses.add(talker.try_out(data.draw(cases(operation, mode, version, parts))))

    try_out()
    return statuses


def try_operations(talker: Talker, document: BaseSchema, version: str | None = None) -> None:
    """Every operation of chat, called rightly and wrongly, comes to its success but for those that are refused."""
    document.config.update(base_url=talker.server.endpoint)
    tried = 0
    for result in document.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path.startswith(CHAT):
            tried += 1
            seen = set().union(*(try_operation(talker, operation, mode, version) for mode in modes(operation)))
            if operation.path.endswith(":remove"):
                # Nobody guesses who takes part.
                assert seen <= {400, 404}
            elif (operation.method.upper(), operation.path) not in REFUSED:
                assert min(seen) in (200, 201, 204), f"{operation.label} never succeeded"
    assert tried >= len(chat.OPERATIONS)


def test_what_we_describe_of_chat_is_what_we_serve(talker: Talker) -> None:
    reply = requests.get(f"{talker.server.endpoint}/openapi.json", verify=str(talker.server.ca_file), timeout=10)
    try_operations(talker, schemathesis.openapi.from_dict(reply.json()))


@pytest.mark.parametrize(
    "version", [each if each in OFTEN else pytest.param(each, marks=pytest.mark.soak) for each in versions.ALL]
)
def test_what_azure_published_of_chat_is_what_we_serve(talker: Talker, version: str) -> None:
    [folder] = shared("contract/specs/data-plane/Chat").glob(f"*/{version}")
    try_operations(talker, schemathesis.openapi.from_path(folder / "communicationserviceschat.json"), version)
