"""A machine whose environment names a proxy: the commands reach the server that runs beside them all the same."""

import pytest

from tests.support.commands import Home, Server, answer, refusal, run
from watchword.cli.proxy_variables import loopback_goes_to_a_proxy, without_proxy

NOWHERE = {"HTTPS_PROXY": "http://127.0.0.1:9", "ALL_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
SOCKS = {"ALL_PROXY": "socks5://127.0.0.1:9", "all_proxy": "socks5://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}


@pytest.mark.parametrize("proxies", [NOWHERE, SOCKS], ids=["http", "socks"])
def test_commands_reach_the_server_of_this_machine(
    shared_home: Home, shared_server: Server, proxies: dict[str, str]
) -> None:
    assert answer(shared_home, "identity", "create", environment=proxies).startswith("8:acs:")
    assert answer(shared_home, "health", environment=proxies) == "ready\n"


@pytest.mark.parametrize("proxies", [NOWHERE, SOCKS], ids=["http", "socks"])
def test_quickstart_reaches_the_server_that_it_starts(home: Home, proxies: dict[str, str]) -> None:
    assert "Deleted the identity" in answer(home, "quickstart", environment=proxies)


def test_service_elsewhere_that_a_proxy_does_not_lead_to_is_told_with_the_proxy(home: Home) -> None:
    elsewhere = {"COMMUNICATION_SERVICES_CONNECTION_STRING": "endpoint=https://acs.example/;accesskey=c2VjcmV0"}
    for proxies, reason in ((NOWHERE, "HTTPS_PROXY"), (SOCKS, "socksio")):
        complaint = refusal(home, "identity", "create", environment=proxies | elsewhere)
        assert reason in complaint
        assert "127.0.0.1:9" in complaint


def test_env_excepts_loopback_from_the_proxy(shared_home: Home, shared_server: Server) -> None:
    named = NOWHERE | {"NO_PROXY": "example.internal", "no_proxy": ""}
    lines = answer(shared_home, "env", "--shell", "sh", environment=named).splitlines()
    for name in ("NO_PROXY", "no_proxy"):
        assert f"export {name}='example.internal,localhost,127.0.0.1,::1'" in lines


@pytest.mark.parametrize(
    ("current", "added"),
    [
        ({}, None),
        ({"NO_PROXY": "example"}, None),
        ({"http_proxy": "http://p:1"}, "localhost,127.0.0.1,::1"),
        ({"http_proxy": "http://p:1", "no_proxy": "*"}, "*"),
        ({"http_proxy": "http://p:1", "no_proxy": "LOCALHOST, a.b,"}, "LOCALHOST, a.b,127.0.0.1,::1"),
    ],
    ids=str,
)
def test_what_is_excepted_stays_so_and_a_second_call_adds_nothing(current: dict[str, str], added: str | None) -> None:
    first = without_proxy(current)
    assert first == ({} if added is None else {"NO_PROXY": added, "no_proxy": added})
    if added:
        assert without_proxy(current | first) == first
        assert loopback_goes_to_a_proxy(current | first) == []


def test_doctor_tells_of_a_proxy_that_loopback_would_go_to(shared_home: Home, shared_server: Server) -> None:
    told = run(shared_home, "doctor", "--port", "0", environment=NOWHERE).stdout
    assert "warning proxy: The environment names a proxy (HTTPS_PROXY, ALL_PROXY)" in told
    assert "watchword env" in told.partition("proxy: ")[2]
