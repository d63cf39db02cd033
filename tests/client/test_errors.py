"""What a refusal, a torn reply or a strange one becomes."""

import ssl
from pathlib import Path

import pytest

from tests.client.support import CREATED, CREDENTIAL, TOKEN, USER, Perform, both_clients
from tests.support.scripted_server import reply, scripted_server
from watchword import client as library
from watchword.client import (
    CertificateNotTrusted,
    Denied,
    IdentityClient,
    IdentityNotFound,
    IdentityNotOwned,
    InvalidConnectionString,
    NotServed,
    ServiceError,
    TransportError,
    UnexpectedReply,
    UnsupportedApiVersion,
    ValidationError,
    WatchwordError,
)
from watchword.client import errors as tree


def refusal(code: str, message: str = "No.", target: str | None = None) -> str:
    extra = f',"target":"{target}"' if target else ""
    return f'{{"error":{{"code":"{code}","message":"{message}"{extra}}}}}'


@both_clients
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "Denied", Denied),
        (401, "IdentityNotOwned", IdentityNotOwned),
        (404, "IdentityNotFound", IdentityNotFound),
        (400, "ValidationError", ValidationError),
        (400, "UnsupportedApiVersion", UnsupportedApiVersion),
        (400, "ApiVersionUnspecified", UnsupportedApiVersion),
        (501, "NotImplemented", NotServed),
        (418, "NeverHeardOf", ServiceError),
    ],
)
def test_an_error_is_told_apart_by_its_code(perform: Perform, status: int, code: str, kind: type[ServiceError]) -> None:
    answer = reply(status, refusal(code, "No.", "scopes"), MS_CV="E1R1WbNQSkesx01XDn4uYg.0")
    with scripted_server(answer) as server, pytest.raises(ServiceError) as raised:
        perform(server.endpoint, lambda client: client.get_token(USER, ["chat"]))
    assert type(raised.value) is kind
    error = raised.value
    assert (error.status, error.code, error.message, error.target) == (status, code, "No.", "scopes")
    assert error.request_id == "E1R1WbNQSkesx01XDn4uYg.0"
    assert str(error) == f"No. ({status} {code}, request E1R1WbNQSkesx01XDn4uYg.0)"
    assert len(server.received) == 1, "such a refusal is final"


@both_clients
def test_an_error_page_that_is_not_the_contracts_is_still_an_error_and_is_not_repeated(perform: Perform) -> None:
    with scripted_server(reply(403, "<h1>secret proxy page</h1>")) as server, pytest.raises(ServiceError) as raised:
        perform(server.endpoint, lambda client: client.get_user(USER))
    assert (raised.value.status, raised.value.code) == (403, "")
    assert "secret" not in str(raised.value)


@both_clients
@pytest.mark.parametrize(
    "body", ["<h1>Log in</h1>", "{}", "[]", '{"identity":{}}', CREATED, "[" * 100_000, TOKEN.replace("2022", "20x2")]
)
def test_a_success_that_says_nothing_of_a_token_is_unexpected(perform: Perform, body: str) -> None:
    with scripted_server(reply(200, body)) as server, pytest.raises(UnexpectedReply):
        perform(server.endpoint, lambda client: client.get_token(USER, ["chat"]))
    assert len(server.received) == 1


@both_clients
def test_a_create_that_was_to_bring_a_token_and_did_not_is_unexpected(perform: Perform) -> None:
    with scripted_server(reply(201, CREATED)) as server, pytest.raises(UnexpectedReply, match="no access token"):
        perform(server.endpoint, lambda client: client.create_user_and_token(["chat"]))


@both_clients
def test_a_page_where_nothing_belongs_is_not_taken_for_a_deletion(perform: Perform) -> None:
    with scripted_server(reply(200, "<h1>Log in</h1>")) as server, pytest.raises(UnexpectedReply):
        perform(server.endpoint, lambda client: client.delete_user(USER))


@both_clients
@pytest.mark.parametrize("link", ["@elsewhere.test/", ".elsewhere.test/", "https://999.1.1.1/", "a" * 70_000])
def test_a_link_that_could_lead_to_another_host_is_refused(perform: Perform, link: str) -> None:
    with scripted_server(reply(200, f'{{"value":[],"nextLink":"{link}"}}')) as server, pytest.raises(UnexpectedReply):
        perform(server.endpoint, lambda client: client.list_users())
    assert len(server.received) == 1


@both_clients
def test_a_redirect_is_not_followed(perform: Perform) -> None:
    with (
        scripted_server(reply(307, Location="https://elsewhere.test/")) as server,
        pytest.raises(ServiceError) as raised,
    ):
        perform(server.endpoint, lambda client: client.delete_user(USER))
    assert raised.value.status == 307


@both_clients
def test_a_certificate_that_is_not_trusted_is_told_at_once_with_the_remedy(
    perform: Perform, server_tls: ssl.SSLContext
) -> None:
    with scripted_server(reply(204), tls=server_tls) as server, pytest.raises(CertificateNotTrusted, match="verify="):
        perform(server.endpoint, lambda client: client.delete_user(USER))
    assert server.received == []
    assert perform.pauses == []


@both_clients
def test_a_ca_file_makes_the_server_trusted(perform: Perform, server_tls: ssl.SSLContext, ca_file: Path) -> None:
    with scripted_server(reply(204), reply(204), tls=server_tls) as server:
        perform(server.endpoint, lambda client: client.delete_user(USER), verify=ca_file)
        perform(
            server.endpoint, lambda client: client.delete_user(USER), verify=ssl.create_default_context(cafile=ca_file)
        )
    assert len(server.received) == 2


@pytest.mark.parametrize(
    "endpoint", ["ftp://x", "https://", "https://h/path", "https://user@h", "https://h:x", "https://999.1.1.1"]
)
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(InvalidConnectionString):
        IdentityClient(endpoint, CREDENTIAL)


def test_every_error_is_drawn_in_the_tree_and_can_be_imported_from_one_place() -> None:
    drawn = tree.__doc__ or ""
    for kind in _below(ServiceError) | _below(TransportError):
        assert issubclass(kind, WatchwordError)
        assert f"─ {kind.__name__} " in drawn
        assert getattr(library, kind.__name__) is kind


def _below(kind: type[WatchwordError]) -> set[type[WatchwordError]]:
    return {kind}.union(*(_below(child) for child in kind.__subclasses__()))
