"""Our own answers, written down: whatever a client may rely on stays as it is from one release to the next.

`tests/vectors/identity.jsonl` holds one request and its answer a line. `{id}` is an identity of the resource,
`{deleted}` one that was deleted; `<id>`, `<token>`, `<time>` and `<versions>` stand for what changes from run to run.
"""

import json
import re
from typing import Any

import pytest

from tests.support.requirements import PROJECT
from tests.support.signed import Reply, SignedClient
from watchword.wire import versions

VECTORS = [json.loads(line) for line in (PROJECT / "tests/vectors/identity.jsonl").read_text("utf-8").splitlines()]
CHANGING = (
    (r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}", "<id>"),
    (r"[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}", "<token>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00", "<time>"),
    (r"http://localhost:\d+", "<endpoint>"),
    (re.escape(", ".join(versions.ALL)), "<versions>"),
)
KEPT_HEADERS = ("content-type", "api-supported-versions", "allow", "retry-after", "www-authenticate", "location")


def settle(text: str) -> str:
    for pattern, name in CHANGING:
        text = re.sub(pattern, name, text)
    return text


def ask(client: SignedClient, request: dict[str, Any]) -> Reply:
    target: str = request["target"]
    if "{id}" in target:
        target = target.replace("{id}", client.new_identity())
    if "{deleted}" in target:
        gone = client.new_identity()
        client.delete(gone)
        target = target.replace("{deleted}", gone)
    return client.call(request["method"], target, request["body"].encode())


def written_down(reply: Reply) -> dict[str, Any]:
    headers = {name: settle(reply.headers[name]) for name in KEPT_HEADERS if name in reply.headers}
    return {"status": reply.status, "headers": headers, "body": settle(reply.body.decode())}


def name(vector: dict[str, Any]) -> str:
    request = vector["request"]
    return f"{request['method']} {request['target']} {request['body']}"


@pytest.mark.parametrize("vector", VECTORS, ids=name)
def test_the_answer_is_the_one_that_was_written_down(client: SignedClient, vector: dict[str, Any]) -> None:
    assert written_down(ask(client, vector["request"])) == vector["answer"]


def test_every_version_and_every_status_has_a_vector() -> None:
    assert {version for version in versions.ALL if not any(version in name(vector) for vector in VECTORS)} == set()
    assert {vector["answer"]["status"] for vector in VECTORS} >= {200, 201, 204, 400, 401, 403, 404, 405}
