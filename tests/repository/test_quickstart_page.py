"""What docs/quickstart.md states as facts: the well-known key of `watchword dev`, and the versions that are tested."""

import json
import re
import tomllib

from tests.support.requirements import PROJECT
from watchword.server.development import PRIMARY_KEY, RESOURCE_ID
from watchword.settings import Settings
from watchword.wire.connection_string import ConnectionString

PAGE = (PROJECT / "docs/quickstart.md").read_text(encoding="utf-8")


def test_the_well_known_resource_and_connection_string_stand_there() -> None:
    assert f"    {ConnectionString(f'https://localhost:{Settings().port}', PRIMARY_KEY)}\n" in PAGE
    assert f"`{RESOURCE_ID}`" in PAGE


def test_the_tested_versions_are_those_that_are_locked() -> None:
    groups = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    package = "azure-communication-identity"
    python = re.findall(rf"{package}==([\d.]+)", " ".join([*groups["sdk-1-0"], *groups["test"]]))
    node = json.loads((PROJECT / "tests/sdk/js/package.json").read_text(encoding="utf-8"))["dependencies"]
    pom = (PROJECT / "tests/sdk/java/pom.xml").read_text(encoding="utf-8")
    [java] = re.findall(rf"<artifactId>{package}</artifactId>\s*<version>([\d.]+)</version>", pom)
    rows = dict(re.findall(r"^\| ([^|]+?) \|.*\| ([^|]+?) \|$", PAGE, re.MULTILINE))
    assert rows["Python, `azure.communication.identity`"] == " and ".join(python)
    assert rows["Python, `azure.communication.identity.aio`"] == " and ".join(python)
    assert rows["JavaScript, Node.js"] == node["@azure/communication-identity"]
    assert rows["Java"] == java
