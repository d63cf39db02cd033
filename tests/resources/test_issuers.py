"""The name of the issuer: one text, whatever was asked, and nothing in it that readers of tokens stumble over."""

import pytest

from watchword.errors import OperatorError
from watchword.resources.issuers import find_issuers
from watchword.settings import Settings

HERE = "https://localhost:8443"


@pytest.mark.parametrize(
    ("settings", "name", "issuer"),
    [
        (Settings(), "chat", HERE),
        (Settings(public_endpoint="https://ACS.example/"), "chat", "https://acs.example"),
        (Settings(public_endpoint="acs.example:8443"), "chat", "https://acs.example:8443"),
        (Settings(resource_suffix="acs.Example."), "Chat", "https://chat.acs.example:8443"),
        (Settings(resource_suffix="acs.example"), None, HERE),
        (Settings(resource_suffix="acs.example", public_endpoint="https://acs.example"), "chat", "https://acs.example"),
        (Settings(public_endpoint="https://[2001:DB8::1]:8443"), "chat", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_issuer_is_the_public_endpoint_or_the_resources_host_or_the_announced_address(
    settings: Settings, name: str | None, issuer: str
) -> None:
    assert find_issuers(settings, HERE).of(name) == issuer


@pytest.mark.parametrize("endpoint", ["https://a~b.example", "https://b\u00fccher.example", "https://a.example?b"])
def test_an_address_that_readers_of_tokens_stumble_over_is_refused(endpoint: str) -> None:
    with pytest.raises(OperatorError, match="as their issuer"):
        find_issuers(Settings(public_endpoint=endpoint), HERE)


def test_a_resource_suffix_that_readers_of_tokens_stumble_over_is_refused() -> None:
    with pytest.raises(OperatorError, match="as their issuer"):
        find_issuers(Settings(resource_suffix="a~b.example"), HERE)
