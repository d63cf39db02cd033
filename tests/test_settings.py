"""Settings of the environment: what compose files and Kubernetes put there without being asked."""

from pathlib import Path

import pytest

from watchword.errors import OperatorError
from watchword.settings import Settings, is_service_link, load_settings

# What every pod of a namespace gets that has a Service `watchword`.
LINKS = {
    "WATCHWORD_SERVICE_HOST": "10.0.0.7",
    "WATCHWORD_SERVICE_PORT": "8443",
    "WATCHWORD_SERVICE_PORT_HTTPS": "8443",
    "WATCHWORD_PORT": "tcp://10.0.0.7:8443",
    "WATCHWORD_PORT_8443_TCP": "tcp://10.0.0.7:8443",
    "WATCHWORD_PORT_8443_TCP_ADDR": "10.0.0.7",
    "WATCHWORD_PORT_8443_TCP_PORT": "8443",
    "WATCHWORD_PORT_8443_TCP_PROTO": "tcp",
}
OPERATOR_LINKS = {name.replace("WATCHWORD", "WATCHWORD_OPERATOR"): value for name, value in LINKS.items()}


def test_what_kubernetes_injects_for_a_service_of_that_name_is_no_setting() -> None:
    assert load_settings(LINKS | OPERATOR_LINKS) == Settings()
    assert all(is_service_link(name, LINKS | OPERATOR_LINKS) for name in LINKS | OPERATOR_LINKS)


def test_port_that_a_person_gave_counts_beside_a_service_of_that_name() -> None:
    assert load_settings(LINKS | {"WATCHWORD_PORT": "9443"}).port == 9443
    assert load_settings(OPERATOR_LINKS | {"WATCHWORD_OPERATOR_PORT": "9444"}).operator_port == 9444


def test_port_that_looks_like_an_address_is_refused_where_no_service_explains_it() -> None:
    with pytest.raises(OperatorError, match="WATCHWORD_PORT"):
        load_settings({"WATCHWORD_PORT": "tcp://10.0.0.7:8443"})
    assert not is_service_link("WATCHWORD_DATABASE", LINKS)


def test_empty_variable_counts_as_unset() -> None:
    empty = {f"WATCHWORD_{name.upper()}": "" for name in Settings.__slots__}
    assert load_settings(empty) == Settings()
    assert load_settings({"WATCHWORD_DATA": "", "WATCHWORD_TLS": "no"}, data=Path("d")).data == Path("d")
