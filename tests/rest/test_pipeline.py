"""What goes wrong on our side, provoked for real; and what is told of it, to the caller and to the log."""

import base64
import json
import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support.data import transact
from tests.support.servers import running_server
from tests.support.signed import NEWEST, PREVIEW, Reply, SignedClient
from watchword.settings import Settings
from watchword.storage import sqlite_connections
from watchword.storage.opening import DATABASE_FILE
from watchword.testing import RunningServer

SETTINGS = Settings(tls=False)
CUSTOM_ID = "bob.secret@contoso.example"


def test_an_unknown_fault_is_a_500_that_names_the_request_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        # Nobody foresaw that a table goes away under a running server.
        transact(server, lambda transaction: transaction.execute("alter table access_keys rename to mislaid"))
        reply = client.create()
    assert (reply.status, reply.body) == (500, b'{"error":{"code":"InternalError","message":"Internal server error."}}')
    assert reply.headers["content-type"] == "application/json"
    # Whoever runs the server finds the request, and what went wrong, by that header.
    [record] = [
        record for record in caplog.records if reply.headers["ms-cv"] in record.getMessage() and record.exc_info
    ]
    assert record.levelno == logging.ERROR


@contextmanager
def locked(server: RunningServer) -> Iterator[None]:
    """Another process is in the middle of a write that takes too long."""
    with closing(sqlite3.connect(server.data / DATABASE_FILE, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


def refused(reply: Reply) -> None:
    assert (reply.status, reply.error["code"]) == (503, "ServiceUnavailable")
    assert reply.headers["retry-after"] == "1"
    assert "ms-cv" in reply.headers


@pytest.mark.sqlite("it has one writer, which another process may hold up; tests/storage takes PostgreSQL away")
def test_a_locked_database_is_a_503_that_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connections, "BUSY_TIMEOUT_SECONDS", 0.05)
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        id = client.new_identity()
        with locked(server):
            refused(client.create())
            refused(client.revoke(id))
            refused(client.delete(id))
            # Whoever only reads is not concerned.
            assert client.issue(id).status == 200
            assert client.get(id).status == 200
            # Reads are answered, and yet not everything is.
            assert client.call("GET", "/readyz").status == 503
        assert client.listed() == [id]
        assert client.create().status == 201
        assert client.delete(id).status == 204


def test_a_table_that_is_gone_is_told_to_the_operator_and_not_to_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    with running_server(SETTINGS) as server, SignedClient(server) as client:
        transact(server, lambda transaction: transaction.execute("drop table identities"))
        reply = client.create()
        assert (reply.status, reply.error["code"]) == (500, "InternalError")
        assert b"identities" not in reply.body
        assert client.call("GET", "/healthz").status == 200
    assert re.search('no such table: identities|relation "identities" does not exist', caplog.text)


def test_neither_custom_ids_nor_tokens_keys_or_signatures_reach_any_log(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    # Debug lines of the event loop and the like would tell what our own do not.
    caplog.handler.setLevel(logging.DEBUG)
    secrets = [CUSTOM_ID]
    with running_server(SETTINGS, data=tmp_path / "data") as server, SignedClient(server) as client:
        reply = client.create({"customId": CUSTOM_ID, "createTokenWithScopes": ["chat"]}, PREVIEW)
        id, token = reply.json["identity"]["id"], reply.json["accessToken"]["token"]
        secrets += [token, token.rpartition(".")[2], *(base64.b64encode(key).decode() for key in server.keys)]
        request = client.sign("POST", f"/identities?api-version={NEWEST}")
        secrets.append(request.headers["Authorization"].partition("Signature=")[2])
        assert client.send(request).status == 201
        client.create({"customId": CUSTOM_ID, "createTokenWithScopes": ["nothing"]}, PREVIEW)
        client.create({"customId": CUSTOM_ID * 20}, PREVIEW)
        client.create(b'{"customId":"' + CUSTOM_ID.encode(), PREVIEW)
        client.call("GET", f"/identities?customId={CUSTOM_ID}&createdAfter={CUSTOM_ID}")
        client.call("GET", f"/identities/{CUSTOM_ID}?api-version={PREVIEW}")
        client.call("GET", f"/identities/{CUSTOM_ID}?api-version=2099-01-01")
        client.call("GET", f"/{CUSTOM_ID}")
        client.call("POST", "/introspect", f"token={token}".encode())
        client.call("POST", f"/identities/{token}/:issueAccessToken?api-version={NEWEST}", {"scopes": ["chat"]})
        request.headers["Authorization"] = f"Bearer {token}"
        assert client.send(request).status == 401
        client.revoke(id)
        client.delete(id)
    logged = "\n".join(record.getMessage() for record in caplog.records)
    entries = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert len(entries) == 14
    assert {entry["path"] for entry in entries} >= {"/identities", "/identities/{id}", ""}
    assert not [secret for secret in secrets if secret in logged]
