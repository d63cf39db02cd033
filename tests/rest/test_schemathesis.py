"""Generated requests, right and wrong, against what we say we serve and what Azure published.

Each document's operations are called over a real socket with requests that are signed to the byte. The run is the same
every time; `SOAK_EXAMPLES=1000 make test ARGS=tests/rest/test_schemathesis.py` draws new ones, a thousand for each
operation and mode.
"""

import os
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance
from schemathesis.core.result import Ok

from tests.support.data import Rows, looking
from tests.support.engines import CHOSEN
from tests.support.good_bodies import good_body
from tests.support.requirements import shared
from tests.support.servers import running_server
from watchword.identifiers import new_guid
from watchword.testing import RunningServer
from watchword.wire import chat_versions, exchanges, identity, management, versions
from watchword.wire.errors import ErrorResponse
from watchword.wire.signature import signed_headers

SOAK_EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "0"))
EXAMPLES = SOAK_EXAMPLES or (14 if CHOSEN == "sqlite" else 9)
"""For each operation and mode; what the second engine could do differently shows with fewer."""

UNPUBLISHED = {versions.V2026_07_22}
"""Served, but its document is not among the shared ones."""

FOREIGN = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000"
UNTYPED = {identity.ISSUE_EARLY.path}
"""Its published document takes every text for a scope, so that hardly one that is generated fits into a token."""

REFUSED = {(management.LINK_NOTIFICATION_HUB.method, management.LINK_NOTIFICATION_HUB.path)}
MANAGED = ("/subscriptions", "/providers/", "/metrics")
"""Called by an operator, and not with names of what is there."""

CHAT = "/chat/"
"""Called by users with tokens, see `test_schemathesis_chat`."""

REALTIME = ("/v4/", "/v3/", "/v2/", "/socket.io/")
"""Called by users with what the step before handed out, which nobody can make up: see `tests/realtime/test_attacks`."""

ANY_TEXT = {"sid", "registrationId"}
"""Parameters of which every text is one."""

NEEDS_A_PROVIDER = {exchanges.EXCHANGE_TEAMS.path, exchanges.EXCHANGE_ENTRA.path, exchanges.EXCHANGE_EXTENSION.path}
"""Only the token of an OpenID provider leads to success there."""

GUID = "11111111-1111-4111-8111-111111111111"
PREVIEW = versions.V2025_03_02_PREVIEW
ASSIGNMENTS: dict[str, Any] = {
    f"/access/entra/assignments/{GUID}": {"tenantId": GUID, "principalType": "user", "clientIds": [GUID]},
    f"/access/teamsExtension/tenants/{GUID}/assignments/{GUID}": {"principalType": "user"},
}
_GUIDS: dict[str, Any] = {"tenantId": GUID, "clientIds": [GUID]}
CHECKS = [content_type_conformance, response_schema_conformance]

AnyCase = Case[Any]
AnyOperation = APIOperation[Any, Any, Any, Any]

untimed = settings(
    max_examples=EXAMPLES,
    derandomize=not SOAK_EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


class Signed(requests.auth.AuthBase):
    """Signs a request as it will stand on the wire."""

    def __init__(self, server: RunningServer) -> None:
        self._key = server.keys[0]
        self._operator = server.operator_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        assert isinstance(raw, bytes)
        assert request.method is not None
        assert request.url is not None
        if request.path_url.startswith(MANAGED):
            request.headers["Authorization"] = f"Bearer {self._operator}"
            return request
        host = urlsplit(request.url).netloc
        date = formatdate(usegmt=True)
        request.headers.update(
            signed_headers(self._key, request.method, request.path_url, host=host, date=date, body=raw)
        )
        return request


class Service:
    """The running server as the test sees it: calls it, and looks into its database."""

    def __init__(self, server: RunningServer, session: requests.Session, query: Callable[[str], Rows]) -> None:
        self.server = server
        self._session = session
        self._query = query

    def some_ids(self) -> list[str]:
        """Mostly one that is there; one that never was, and one of another resource."""
        there = self._new_identity()
        return [there, there, there, there, f"{there[:43]}00000000-0000-0000-0000-000000000000", FOREIGN]

    def assign(self) -> None:
        """What reading and deleting an assignment finds."""
        for path, body in ASSIGNMENTS.items():
            url = f"{self.server.endpoint}{path}?api-version={PREVIEW}"
            assert self._session.put(url, json=body).status_code in (200, 201)

    def some_parts(self, path: str) -> dict[str, str]:
        """What there is for a path, by the names that it has for its parts."""
        parts = self._some_chat() if "{chatThreadId}" in path else {}
        if "{importId}" in path:
            parts["importId"] = new_guid()
            url = f"{self.server.endpoint}/trusted/imports/{parts['importId']}"
            assert self._session.put(url, json={"topic": "t"}).status_code == 201
        return parts

    def mute(self, path: str, parts: dict[str, str], ids: list[str]) -> None:
        """What reading a restriction finds."""
        for id in set(ids) - {FOREIGN}:
            url = f"{self.server.endpoint}{path.format(userId=id, **parts)}"
            assert self._session.put(url, json={"kind": "mute"}).status_code in (200, 404)

    def _some_chat(self) -> dict[str, str]:
        """A thread, its member, and a message in it."""
        created = self._create({"createTokenWithScopes": ["chat"]})
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self._session.verify
            session.headers["Authorization"] = f"Bearer {created['accessToken']['token']}"
            threads, asked = f"{self.server.endpoint}/chat/threads", {"api-version": chat_versions.V2025_03_15}
            thread = session.post(threads, params=asked, json={"topic": "t"}).json()["chatThread"]["id"]
            message = session.post(f"{threads}/{thread}/messages", params=asked, json={"content": "c"}).json()["id"]
        return {"chatThreadId": thread, "chatMessageId": message, "user": created["identity"]["id"]}

    def _new_identity(self) -> str:
        return str(self._create({})["identity"]["id"])

    def _create(self, body: dict[str, Any]) -> Any:
        url = f"{self.server.endpoint}/identities?api-version={versions.V2023_10_01}"
        reply = self._session.post(url, json=body)
        assert reply.status_code == 201
        return reply.json()

    def state(self) -> tuple[Any, ...]:
        """What a refused request must leave as it is."""
        return (
            self._query("select count(*), (select flake from identities order by flake desc limit 1) from identities"),
            # Not the feed's counter: it moves on also where an identity that is not there leaves nothing to record.
            self._query("select count(*), max(cursor) from revocations"),
        )

    def try_out(self, case: AnyCase) -> int:
        """Call, and judge the answer by the case's document and by our own promises."""
        before = self.state()
        reply = case.call(session=self._session, verify=self._session.verify, timeout=10)
        # What is empty has no type, whatever a document says of all answers at once.
        if reply.status_code != 204:
            case.validate_response(reply, checks=CHECKS)
        if reply.status_code == 501:
            assert (case.method, case.operation.path) in REFUSED
        else:
            case.validate_response(reply, checks=[not_a_server_error])
        if reply.status_code >= 400:
            assert self.state() == before, "a refused request changed something"
        if reply.status_code >= 400 and case.method != "HEAD":
            error = msgspec.json.decode(reply.content, type=ErrorResponse).error
            assert error.code
            assert error.message
            assert error.code != "Denied", f"signed well, yet refused: {error.message}"
        return reply.status_code


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with running_server() as server, requests.Session() as session:
        session.trust_env = False  # Else a CA bundle of the environment takes the place of ours.
        session.verify = str(server.ca_file)
        session.auth = Signed(server)
        with looking(server) as query:
            yield Service(server, session, query)


def published(version: str) -> Path:
    state = "preview" if "preview" in version else "stable"
    return shared(f"contract/specs/data-plane/Identity/{state}/{version}/CommunicationIdentity.json")


def name_what_is_there(draw: st.DrawFn, case: AnyCase, ids: list[str], *, there: dict[str, str]) -> None:
    """Mostly: a part that nobody has is looked for, too."""
    for name in sorted({"id", "userId"}.intersection(case.path_parameters)):
        if draw(st.integers(0, 5)):
            case.path_parameters[name] = draw(st.sampled_from(ids))
    for name in sorted(there.keys() & case.path_parameters.keys()):
        if draw(st.integers(0, 7)):
            case.path_parameters[name] = there[name]


@st.composite
def cases(
    draw: st.DrawFn,
    operation: AnyOperation,
    mode: GenerationMode,
    version: str | None,
    ids: list[str],
    there: dict[str, str],
) -> AnyCase:
    """A case of an operation, mostly with well-formed ids and with an api-version that is served."""
    case = draw(operation.as_strategy(generation_mode=mode))
    name_what_is_there(draw, case, ids, there=there)
    if (good := good_body(operation.path, there)) is not None and draw(st.integers(0, 1)):
        case.body = good
    for name in {"objectId", "tenantId"}.intersection(case.path_parameters):
        if draw(st.integers(0, 7)):
            case.path_parameters[name] = GUID
    if isinstance(case.body, dict) and draw(st.integers(0, 3)):
        # Documents say text where only a guid will do.
        case.body |= {name: guid for name, guid in _GUIDS.items() if name in case.body}
    if version is not None and draw(st.integers(0, 7)):
        case.query = {**(case.query or {}), "api-version": version}
    # How a message is framed is not a document's business; what is no HTTP never reaches an operation.
    for name in {"content-length", "transfer-encoding"}.intersection(map(str.lower, case.headers)):
        del case.headers[name]
    return case


def try_operation(service: Service, operation: AnyOperation, mode: GenerationMode, version: str | None) -> set[int]:
    statuses: set[int] = set()
    ids = service.some_ids()
    parts = service.some_parts(operation.path)
    if "restrictions/{userId}" in operation.path:
        service.mute(operation.path, parts, ids)

    @untimed
    @given(st.data())
    def try_out(data: st.DataObject) -> None:
        if "{objectId}" in operation.path:
            service.assign()
        # What was deleted is not there any more for the next one.
        is_deleted = operation.method.upper() == "DELETE"
        some = service.some_ids() if is_deleted else ids
        there = service.some_parts(operation.path) if is_deleted else parts
        statuses.add(service.try_out(data.draw(cases(operation, mode, version, ids=some, there=there))))

    try_out()
    return statuses


def modes(operation: AnyOperation) -> list[GenerationMode]:
    """What takes nothing cannot be called wrongly, nor what takes any text."""
    takes = any(each.name not in ANY_TEXT for each in operation.iter_parameters()) or operation.body
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes else [])]


def try_operations(service: Service, document: BaseSchema, version: str | None = None) -> None:
    """Every operation of a document, called rightly and wrongly: each comes to its success, where a key leads there."""
    document.config.update(base_url=service.server.endpoint)
    for result in document.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if operation.path.startswith(CHAT):
            continue
        seen = set().union(*(try_operation(service, operation, mode, version) for mode in modes(operation)))
        if operation.path.startswith(REALTIME):
            assert min(seen) >= 400
        elif operation.path in NEEDS_A_PROVIDER:
            assert min(seen) >= 400
            assert not seen.isdisjoint({401, 403})
        elif not operation.path.startswith(MANAGED) and (version is None or operation.path not in UNTYPED):
            assert min(seen) in (200, 201, 204), f"{operation.label} never succeeded"


def test_what_we_describe_is_what_we_serve(service: Service) -> None:
    reply = requests.get(f"{service.server.endpoint}/openapi.json", verify=str(service.server.ca_file), timeout=10)
    try_operations(service, schemathesis.openapi.from_dict(reply.json()))


@pytest.mark.parametrize("version", [version for version in versions.ALL if version not in UNPUBLISHED])
def test_what_azure_published_is_what_we_serve(service: Service, version: str) -> None:
    try_operations(service, schemathesis.openapi.from_path(published(version)), version)
