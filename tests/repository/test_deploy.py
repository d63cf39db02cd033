"""What `deploy/` names exists, and each file says how far it was tested."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.support.requirements import PROJECT
from watchword.certificates.names import holds_for
from watchword.cli.commands import watchword
from watchword.cli.setting_flags import flag_of, flag_settings
from watchword.settings import PREFIX, Settings, load_settings

FILES = sorted(path for path in (PROJECT / "deploy").rglob("*") if path.is_file() and path.suffix != ".dockerignore")


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_variable_is_a_setting(path: Path) -> None:
    known = {f"{PREFIX}{setting.name.upper()}" for setting in fields(Settings)} | {"WATCHWORD_HOME"}
    assert set(re.findall(r"WATCHWORD_[A-Z_]+", text_of(path))) <= known


@pytest.mark.parametrize("path", FILES, ids=name)
def test_it_says_how_far_it_was_tested(path: Path) -> None:
    comment = "".join(line for line in text_of(path).splitlines()[:4] if line.startswith("#"))
    assert re.search(r"Untested|Checked with", comment)


def test_nobody_beyond_this_machine_is_let_in_unless_the_operator_says_so() -> None:
    compose, socket = text_of(PROJECT / "deploy/compose.yaml"), text_of(PROJECT / "deploy/systemd/watchword.socket")
    published = re.findall(r"^ *- \"?([\d.:]*\d+:\d+)\"?$", compose, re.MULTILINE)
    listening = re.findall(r"^Listen\w+=(.*)$", socket, re.MULTILINE)
    assert published
    assert listening
    assert [each for each in [*published, *listening] if not re.match(r"127\.0\.0\.1:|\[::1\]:", each)] == []


def test_flags_that_the_commands_carry_exist() -> None:
    known = {flag for setting in flag_settings() for flag in flag_of(setting).split(" / ")}
    used = set()
    for path in FILES:
        for line in re.findall(r"^ExecStart=.*$|^ *command: \[.*\]$", text_of(path), re.MULTILINE):
            used |= set(re.findall(r"--[a-z-]+", line))
    assert used
    assert used <= known


def test_the_image_gets_no_more_than_it_copies() -> None:
    listed = re.findall(r"^!(.+)$", text_of(PROJECT / "deploy/Containerfile.dockerignore"), re.MULTILINE)
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", text_of(PROJECT / "deploy/Containerfile"), re.MULTILINE)
    assert sorted(listed) == sorted(" ".join(copied).split())
    assert all((PROJECT / each).exists() for each in listed)


def test_a_kill_comes_later_than_the_stop_deadline() -> None:
    deadline = Settings().stop_deadline
    [service] = re.findall(
        r"^TimeoutStopSec=(\d+)$", text_of(PROJECT / "deploy/systemd/watchword.service"), re.MULTILINE
    )
    [grace] = re.findall(r"stop_grace_period: (\d+)s", text_of(PROJECT / "deploy/compose.yaml"))
    assert min(int(service), int(grace)) > 2 * deadline


@pytest.fixture
def manifest() -> dict[str, dict[str, Any]]:
    """The objects of deploy/kubernetes.yaml by their kind."""
    found = list(yaml.safe_load_all(text_of(PROJECT / "deploy/kubernetes.yaml")))
    assert len({each["kind"] for each in found}) == len(found)
    return {each["kind"]: each for each in found}


@pytest.fixture
def pod(manifest: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = manifest["Deployment"]["spec"]["template"]["spec"]
    return found


@pytest.fixture
def settings(pod: dict[str, Any]) -> Settings:
    """As the server in the pod reads them, with what Kubernetes adds for the Service."""
    given = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    return load_settings({"WATCHWORD_SERVICE_HOST": "10.0.0.7", "WATCHWORD_PORT": "tcp://10.0.0.7:8443"} | given)


def test_a_pod_is_killed_after_the_drain_and_the_stop_deadline(pod: dict[str, Any], settings: Settings) -> None:
    probe = pod["containers"][0]["readinessProbe"]
    assert settings.drain_delay > probe["periodSeconds"] * probe["failureThreshold"]
    assert pod["terminationGracePeriodSeconds"] > settings.drain_delay + settings.stop_deadline + 5


def test_the_parts_of_the_manifest_find_one_another(
    manifest: dict[str, dict[str, Any]], pod: dict[str, Any], settings: Settings
) -> None:
    [container], service = pod["containers"], manifest["Service"]["spec"]
    labels = manifest["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()
    assert manifest["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    [port] = container["ports"]
    assert {service["ports"][0]["targetPort"], container["readinessProbe"]["httpGet"]["port"]} == {port["name"]}
    assert port["containerPort"] == settings.port
    [volume], [mount] = pod["volumes"], container["volumeMounts"]
    assert mount["name"] == volume["name"]
    assert f"WATCHWORD_HOME={mount['mountPath']} " in text_of(PROJECT / "deploy/Containerfile")
    assert volume["persistentVolumeClaim"]["claimName"] == manifest["PersistentVolumeClaim"]["metadata"]["name"]
    [host] = re.findall(r"^https://([^:/]+):8443$", settings.public_endpoint)
    assert host == manifest["Service"]["metadata"]["name"]
    assert holds_for(settings.tls_names, host)


def test_a_pod_has_no_more_rights_than_it_needs(pod: dict[str, Any]) -> None:
    allowed = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert (allowed["readOnlyRootFilesystem"], allowed["allowPrivilegeEscalation"]) == (True, False)
    assert allowed["capabilities"]["drop"] == ["ALL"]


def test_the_health_check_of_the_image_is_a_command_that_exists() -> None:
    [command] = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", text_of(PROJECT / "deploy/Containerfile"), re.MULTILINE)
    assert command == '["watchword", "health"]'
    assert "health" in watchword.commands
