"""The wheel, installed into empty environments outside of the checkout, by nothing but a folder of wheels."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest

from tests.support.requirements import PROJECT, require
from tests.support.servers import running_server

PAGE = (PROJECT / "docs/howto/install-without-internet.md").read_text(encoding="utf-8")
UV = Path(sys.executable).with_name("uv")
SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"

# In the environment that has only what `pip install watchword` brings.
BARE_PROGRAM = """
import importlib.util, os
import watchword
from watchword.client import IdentityClient
from watchword.clock import SystemClock
from watchword.tokens import KeySet, NothingRevoked, Verifier

assert not [name for name in ("httptools", "uvicorn", "rich", "websockets") if importlib.util.find_spec(name)]
with IdentityClient.from_connection_string(os.environ["CONNECTION_STRING"]) as client:
    user, issued = client.create_user_and_token(["chat"])
keys = KeySet.from_json(os.environ["KEY_SET"].encode())
proved = Verifier(keys, NothingRevoked(), SystemClock()).verify(issued.token)
assert proved.identity == user.id
print(watchword.__file__)
"""


def run(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def succeed(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> str:
    result = run(command, folder, environment)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    # As `make wheel` does it, but without touching the environment that these tests run in.
    succeed([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", folder], PROJECT, os.environ)
    [wheel] = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def wheelhouse(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("carried") / "wheelhouse"
    [download] = re.findall(r"^\.venv/bin/python -m (pip download .+)$", PAGE, re.MULTILINE)
    words = [str(folder) if word == "wheelhouse" else word for word in download.split()]
    result = run([sys.executable, "-m", *words], PROJECT, os.environ)
    is_out_of_reach = "No matching distribution" in result.stderr or "Connection" in result.stderr
    require(not is_out_of_reach, "no package registry is in reach, to fill a folder of wheels from")
    assert result.returncode == 0, result.stderr
    (folder / wheel.name).write_bytes(wheel.read_bytes())
    return folder


@pytest.fixture
def offline(tmp_path: Path) -> dict[str, str]:
    """An environment in which pip and uv know no registry, and whatever they asked would not be there."""
    foreign = ("PIP_", "UV_", "PYTHON", "WATCHWORD_", "COMMUNICATION_", "AZURE_", "VIRTUAL_ENV")
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}
    nowhere = "http://127.0.0.1:9"
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "HTTPS_PROXY": nowhere,
        "HTTP_PROXY": nowhere,
        "NO_PROXY": "localhost,127.0.0.1,::1",
    }


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    packaged = {name for name in names if name.startswith("watchword/")}
    present = {path.relative_to(PROJECT / "src").as_posix() for path in (PROJECT / "src/watchword").rglob("*")}
    assert packaged <= present
    assert not [name for name in packaged if "__pycache__" in name]
    assert {"watchword/py.typed", "watchword/storage/sqlite_schema/0001_identities.sql"} <= packaged
    assert all(name.startswith(("watchword/", "watchword-")) for name in names)


def test_a_bare_install_calls_the_service_and_verifies_tokens_without_the_server(
    wheelhouse: Path, tmp_path: Path, offline: dict[str, str]
) -> None:
    bare = tmp_path / "bare"
    succeed([UV, "venv", "--quiet", "--python", sys.executable, bare], tmp_path, offline)
    from_wheelhouse: list[str | Path] = ["--offline", "--no-index", "--find-links", wheelhouse]
    succeed([UV, "pip", "install", "--quiet", "--python", bare, *from_wheelhouse, "watchword"], tmp_path, offline)

    with running_server() as server:
        key_set = httpx2.get(f"{server.endpoint}/.well-known/jwks.json", verify=server.client_tls()).text
        facts = {
            "CONNECTION_STRING": server.connection_string,
            "SSL_CERT_FILE": str(server.ca_file),
            "KEY_SET": key_set,
        }
        printed = succeed([bare / SCRIPTS / "python", "-c", BARE_PROGRAM], tmp_path, offline | facts)
    assert Path(printed.strip()).is_relative_to(bare)

    command = run([bare / SCRIPTS / "watchword", "quickstart"], tmp_path, offline)
    assert command.returncode == 1
    assert command.stderr.strip().endswith("-py3-none-any.whl[server]'")


def test_the_page_on_installing_without_internet_leads_to_a_running_service(
    wheelhouse: Path, tmp_path: Path, offline: dict[str, str]
) -> None:
    require("bash", "the page's commands are for a shell")
    [commands] = re.findall(r"```sh\n(python3 -m venv .*?)```", PAGE, re.DOTALL)
    (tmp_path / "wheelhouse").symlink_to(wheelhouse)
    printed = succeed(["bash", "-euc", commands], tmp_path, offline)
    assert "\nDeleted the identity with ID: 8:acs:" in printed
