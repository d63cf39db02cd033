"""The reference page: its examples run, and it leaves no name out."""

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator

import pytest

from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from watchword import client as library
from watchword.client import AsyncIdentityClient, IdentityClient, Scope
from watchword.testing import RunningServer

PAGE = (PROJECT / "docs/reference/python-client.md").read_text(encoding="utf-8")
VERIFIER_PAGE = (PROJECT / "docs/reference/verifier.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
# Named by types only: nobody catches, makes or calls them.
UNDOCUMENTED = {
    *("AsyncTokenCredential", "BearerToken", "ClientOptions", "ConnectionOptions", "CurrentToken", "TokenCredential"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(example: str, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    with IdentityClient.from_connection_string(server.connection_string) as client:
        user = client.create_user()
        names = {
            "connection_string": server.connection_string,
            "client": client,
            "user": user,
            "fetch_token_from_my_server": lambda: client.get_token(user, [Scope.CHAT]).token,
        }
        code = compile(example, "python-client.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        waiting = eval(code, names)
        if inspect.iscoroutine(waiting):
            asyncio.run(waiting)


@pytest.mark.parametrize("kind", [IdentityClient, AsyncIdentityClient])
def test_every_method_stands_there_with_its_parameters(kind: type) -> None:
    methods = {name: method for name, method in vars(kind).items() if callable(method) and not name.startswith("_")}
    assert len(methods) == 9
    for name, method in methods.items():
        bare = inspect.signature(method)
        parameters = [each.replace(annotation=each.empty) for each in list(bare.parameters.values())[1:]]
        shown = inspect.Signature(parameters)
        assert f"`{name}{shown}`" in PAGE


def test_every_public_name_stands_there() -> None:
    missing = [name for name in library.__all__ if name not in UNDOCUMENTED and f"`{name}" not in PAGE + VERIFIER_PAGE]
    assert not missing
    assert set(library.__all__) >= UNDOCUMENTED
