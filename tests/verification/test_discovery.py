"""Issuer and audience of tokens, and the discovery document by which stock verifiers find the key set."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.testing import RunningServer
from watchword.tokens.jwks import decode_base64url

CREATE = "/identities?api-version=2023-10-01"


def discovered(server: RunningServer, host: str | None = None) -> Any:
    connection = http.client.HTTPConnection("localhost", server.port, timeout=20)
    try:
        headers = {"Host": host} if host else {}
        connection.request("GET", "/.well-known/openid-configuration", headers=headers)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("content-type")) == (200, "application/json")
        assert answer.getheader("cache-control") == "public, max-age=300"
        return json.loads(answer.read())
    finally:
        connection.close()


def issued(server: RunningServer, host: str | None = None) -> Any:
    with SignedClient(server) as client:
        named = {"host": host} if host else {}
        reply = client.call("POST", CREATE, b'{"createTokenWithScopes":["chat"]}', **named)
        assert reply.status == 201, reply
        return json.loads(decode_base64url(reply.json["accessToken"]["token"].split(".")[1]))


@pytest.mark.parametrize("host", [None, "127.0.0.1", "LOCALHOST", "other.example:1"])
def test_the_issuer_is_the_same_on_every_host(fresh_settings: FreshSettings, host: str | None) -> None:
    with running_server(fresh_settings()) as server:
        claims = issued(server)
        assert discovered(server, host)["issuer"] == claims["iss"] == server.endpoint
        assert claims["aud"] == claims["resourceId"]


def test_the_public_endpoint_is_the_issuer_in_lower_case_and_without_a_slash(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings(public_endpoint="https://ACS.Example/")) as server:
        assert discovered(server)["issuer"] == issued(server)["iss"] == "https://acs.example"


def test_a_resource_with_a_host_of_its_own_is_an_issuer_of_its_own(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings(resource_suffix="acs.test", resource_name="Chat")) as server:
        host = f"chat.acs.test:{server.port}"
        document = discovered(server, host.upper())
        assert document["issuer"] == f"http://{host}" == issued(server)["iss"]
        assert document["jwks_uri"].lower() == f"http://{host}/.well-known/jwks.json"
        assert discovered(server)["issuer"] == server.endpoint


def test_a_setting_leaves_issuer_and_audience_out(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings(issuer_and_audience=False)) as server:
        claims = issued(server)
        assert {"iss", "aud"}.isdisjoint(claims)
        assert discovered(server)["issuer"] == server.endpoint


def test_every_algorithm_in_the_key_set_is_named(fresh_settings: FreshSettings) -> None:
    with running_server(fresh_settings(signing_algorithm="RS256")) as server:
        assert discovered(server)["id_token_signing_alg_values_supported"] == ["RS256"]
