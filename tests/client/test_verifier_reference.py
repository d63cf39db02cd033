"""The verifier's reference page: its examples run, its tables are those of the code, and it leaves no name out."""

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.requirements import PROJECT
from tests.support.servers import running_server
from tests.support.verifiers import create_credential
from watchword.client import (
    AccessToken,
    AsyncTokenVerifier,
    IdentityClient,
    Introspection,
    TokenVerifier,
    VerifierOptions,
    VerifierState,
    key_sets,
    revocation_set,
    subscriber,
)
from watchword.client.verification import MAX_STALENESS
from watchword.testing import RunningServer
from watchword.tokens import jws, scopes
from watchword.tokens.verifier import DEFAULT_CACHE_SIZE

PAGE = (PROJECT / "docs/reference/verifier.md").read_text(encoding="utf-8")
COLUMNS = ("chat", "chat.join", "chat.join.limited", "voip", "voip.join")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(example: str, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
    with IdentityClient.from_connection_string(server.connection_string) as client:
        _, issued = client.create_user_and_token(["chat"])
    names: dict[str, object] = {
        "endpoint": server.endpoint,
        "credential": create_credential(server),
        "text": issued.token,
    }
    code = compile(example, "verifier.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    waiting = eval(code, names)
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)
    assert isinstance(names["token"], AccessToken)


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its two first rows."""
    _, _, rest = PAGE.partition(f"\n## {heading}\n")
    rows = re.findall(r"(?:^\|.*\|\n)+", rest, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_the_scope_table_is_the_one_that_is_enforced() -> None:
    heading = "| operation | " + " | ".join(f"`{scope}`" for scope in COLUMNS) + " |"
    assert heading in PAGE
    shown = {
        row[0].strip("`"): frozenset(scope for scope, cell in zip(COLUMNS, row[1:], strict=True) if cell == "yes")
        for row in table("Scopes")
    }
    assert shown == dict(scopes.OPERATIONS)


def test_the_columns_are_all_scopes() -> None:
    assert set(COLUMNS) == set(scopes.ALL)


def test_every_option_stands_there_and_no_other() -> None:
    assert {row[0].strip("`") for row in table("Making one")} == set(VerifierOptions.__annotations__)


@pytest.mark.parametrize("kind", [TokenVerifier, AsyncTokenVerifier])
def test_every_method_of_both_verifiers_stands_there(kind: type) -> None:
    shown = {row[0].strip("`").partition("(")[0] for row in table("Asking")}
    assert shown <= {name for name in vars(kind) if not name.startswith("_")}
    assert "from_connection_string" in PAGE


@pytest.mark.parametrize("kind", [AccessToken, Introspection, VerifierState])
def test_every_field_of_a_result_stands_there(kind: type) -> None:
    [told] = re.findall(rf"`{kind.__name__}` has (.*?\.)(?: `[A-Z]|\n\n)", PAGE, re.DOTALL)
    names = inspect.signature(kind).parameters
    assert names
    assert not [name for name in names if f"`{name}`" not in told]


def test_every_check_stands_there() -> None:
    """Every name that any part of the verifier gives to a check, read from its source."""
    folder = PROJECT / "src/watchword"
    files = [*(folder / "tokens").glob("*.py"), folder / "client/revocation_set.py", folder / "client/key_sets.py"]
    source = "".join(path.read_text(encoding="utf-8") for path in files)
    raised = set(re.findall(r'InvalidToken\(\s*"(\w+)"', source))
    shown = re.findall(r"^\| `(\w+)` \| ", PAGE.partition("| `check` |")[2].partition("\n\n")[0], re.MULTILINE)
    assert set(shown) == raised


def test_the_numbers_are_those_of_the_code() -> None:
    assert timedelta(seconds=10) == MAX_STALENESS
    assert timedelta(hours=24) == key_sets.MAXIMUM_AGE
    assert timedelta(seconds=5) == key_sets.UNKNOWN_KEY_PAUSE
    assert timedelta(hours=1) == revocation_set.LONGEST_LEEWAY
    assert timedelta(hours=25) == revocation_set.KEPT
    assert timedelta(seconds=25) == subscriber.LONGEST_WAIT
    assert key_sets.LARGEST_KEY_SET_BYTES == 256 * 1024
    assert subscriber.LARGEST_PAGE_BYTES == 4 * 1024 * 1024
    assert (DEFAULT_CACHE_SIZE, jws.MAXIMUM_TOKEN_BYTES) == (10_000, 8192)
