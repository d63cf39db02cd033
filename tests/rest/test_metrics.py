"""`/metrics`: what is counted, under which labels, and who may see it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import httpx2
import pytest

from tests.support.data import first_resource, transact
from tests.support.polling import until
from tests.support.scraping import OPEN_METRICS, scrape
from tests.support.signed import NEWEST, PREVIEW, SignedClient, raw_exchange
from watchword.resources.operators import create_operator
from watchword.settings import Settings
from watchword.telemetry.traffic import MOST_SDKS
from watchword.testing import RunningServer, running_server

WRITES = "watchword_database_duration_seconds_count"
REQUESTS = "watchword_requests_total"
ISSUE = "CommunicationIdentity_IssueAccessToken"
PYTHON = "azsdk-python-communication-identity"
AGENT = f"{PYTHON}/1.5.0 Python/3.11.2 (Linux-6.1.0)"


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """One of its own for each test, which starts to count at nothing."""
    with running_server(Settings(request_log=False, tls=False)) as running:
        yield running


def test_requests_are_counted_by_what_they_were_and_how_they_ended(server: RunningServer, client: SignedClient) -> None:
    id = client.new_identity()
    target, agent = f"/identities/{id}/:issueAccessToken?api-version={NEWEST}", {"User-Agent": AGENT}
    for scopes in (["chat"], ["chat", "voip"], []):
        client.call("POST", target, {"scopes": scopes}, headers=agent)
    httpx2.post(f"{server.endpoint}/identities?api-version=1999-01-01")
    httpx2.get(f"{server.endpoint}/nowhere/{id}")
    found = scrape(server)
    sdk = {"sdk": PYTHON, "sdk_version": "1.5.0"}
    issued = {"operation": ISSUE, "api_version": NEWEST} | sdk
    assert found.value(REQUESTS, status="200", code="", **issued) == 2
    assert found.value(REQUESTS, status="400", code="ValidationError", **issued) == 1
    assert found.value(REQUESTS, status="201", operation="CommunicationIdentity_Create", sdk="") == 1
    assert found.value(REQUESTS, status="400", operation="", api_version="other", sdk="") == 1
    assert found.value(REQUESTS, status="404", operation="", api_version="", code="NotFound") == 1
    assert found.value("watchword_request_duration_seconds_count", operation=ISSUE) == 3
    assert found.value("watchword_request_duration_seconds_bucket", operation=ISSUE, le="10.0") == 3
    assert 0 < found.value("watchword_request_duration_seconds_sum", operation=ISSUE) < 30


def test_what_the_parser_refuses_is_counted_though_it_reaches_no_operation(server: RunningServer) -> None:
    close = "Host: x\r\nConnection: close\r\n\r\n"
    for text in ("BREW / HTTP/1.1\r\n\r\n", f"GET /{'x' * 40_000} HTTP/1.1\r\n{close}"):
        raw_exchange(server.port, text.encode())
    found = scrape(server)
    assert found.value(REQUESTS, operation="", status="400", code="") == 1
    assert found.value(REQUESTS, operation="", status="431", code="RequestTooLarge") == 1
    assert not found.has("watchword_request_duration_seconds_count")


def test_what_the_requests_cost_is_told_too(server: RunningServer, client: SignedClient) -> None:
    before = scrape(server)
    client.new_token(client.new_identity())
    # The identity, and a moment later when it was last issued a token.
    written = before.value(WRITES, kind="write") + 2
    after = until(lambda: scrape(server), lambda now: now.value(WRITES, kind="write") >= written)

    def growth(sample: str, **labels: str) -> float:
        return after.value(sample, **labels) - before.value(sample, **labels)

    assert growth("watchword_signature_duration_seconds_count") == 1
    assert growth("watchword_database_duration_seconds_count", kind="write") == 2
    assert growth("watchword_database_queue_duration_seconds_count", kind="write") == 2
    assert growth("watchword_database_batch_calls_sum", kind="write") == 2
    assert growth("watchword_database_duration_seconds_count", kind="read") >= 3
    assert after.value("watchword_database_up") == after.value("watchword_processes") == 1
    # The client's and the scraper's; the scrape itself is in flight.
    assert after.value("watchword_open_connections") == 2
    assert after.value("watchword_requests_in_flight") == 1
    assert after.value("watchword_signing_keys", state="signing") == 1
    assert after.value("watchword_signing_key_change_seconds") == pytest.approx(90 * 86_400, abs=60)


def test_a_published_key_is_the_next_change(server: RunningServer) -> None:
    with running_server(Settings(request_log=False, tls=False, signing_algorithm="EdDSA"), data=server.data) as other:
        found = scrape(other, token=server.operator_token)
        assert found.value("watchword_signing_keys", state="published") == 1
        assert found.value("watchword_signing_key_change_seconds") == pytest.approx(90_000, abs=60)
        other.clock.move(timedelta(seconds=90_001))
        found = scrape(other, token=server.operator_token)
        assert found.value("watchword_signing_keys", state="verifying") == 1


def test_without_a_schedule_no_change_is_told() -> None:
    with running_server(Settings(request_log=False, tls=False, key_lifetime=0)) as server:
        assert not scrape(server).has("watchword_signing_key_change_seconds")


def test_who_waits_for_the_feed_is_told_of_and_how_late_the_answer_was(
    server: RunningServer, client: SignedClient
) -> None:
    id = client.new_identity()
    with SignedClient(server) as second:
        cursor = second.call("GET", "/revocations").json["cursor"]
        waiting = second.sign("GET", f"/revocations?since={cursor}&wait=30")
        thread = Thread(target=second.send, args=(waiting,))
        thread.start()
        until(lambda: scrape(server).value("watchword_revocation_feed_waiting"), lambda count: count == 1)
        assert scrape(server).value("watchword_revocation_feed_view_age_seconds") > 0
        assert client.revoke(id).status == 204
        thread.join()
    found = scrape(server)
    assert found.value("watchword_revocation_feed_answer_duration_seconds_count") == 1
    assert 0 < found.value("watchword_revocation_feed_answer_duration_seconds_sum") < 30
    assert found.value("watchword_revocation_feed_cursor") == 1
    assert found.value("watchword_revocation_feed_waiting") == 0
    assert found.value("watchword_revocation_feed_view_age_seconds") == 0


def test_what_strangers_make_up_is_no_label(server: RunningServer, client: SignedClient) -> None:
    for number in range(3):
        made_up = {"User-Agent": f"{PYTHON}/6.6.{number}"}
        httpx2.post(f"{server.endpoint}/identities?api-version=made-up-{number}", headers=made_up)
        raw_exchange(server.port, f"GET /{number} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        client.call("PURGE", f"/identities?api-version={NEWEST}")
    assert scrape(server).value(REQUESTS, api_version="other", sdk="other", sdk_version="other") == 3
    assert "made-up" not in scrape(server).text
    assert "6.6." not in scrape(server).text


def test_a_stranger_is_counted_under_a_client_that_somebody_who_proved_who_they_are_has_come_with(
    server: RunningServer, client: SignedClient
) -> None:
    for _ in range(2):
        httpx2.post(f"{server.endpoint}/identities?api-version={NEWEST}", headers={"User-Agent": AGENT})
        client.call("GET", "/identities", headers={"User-Agent": AGENT})
    found = scrape(server)
    assert found.value(REQUESTS, sdk="other", status="401") == 1
    assert found.value(REQUESTS, sdk=PYTHON, sdk_version="1.5.0", status="401") == 1
    assert found.value(REQUESTS, sdk=PYTHON, sdk_version="1.5.0", status="200") == 2


def test_the_number_of_clients_is_bounded(server: RunningServer, client: SignedClient) -> None:
    for number in range(MOST_SDKS + 5):
        client.call("GET", "/identities", headers={"User-Agent": f"{PYTHON}/1.0.{number}"})
    found = scrape(server)
    assert len({labels["sdk_version"] for labels in found.labels(REQUESTS) if labels["sdk"] == PYTHON}) == MOST_SDKS
    assert found.value(REQUESTS, sdk="other") == 5


def test_the_browsers_header_and_dotted_names_count_too(server: RunningServer, client: SignedClient) -> None:
    client.call("GET", "/identities", headers={"x-ms-useragent": "azsdk-js-communication-identity/1.3.1 OS/Linux"})
    client.call("GET", "/identities", headers={"User-Agent": "azsdk-net-Communication.Identity/1.3.1 (.NET 8.0.0)"})
    found = scrape(server)
    assert found.value(REQUESTS, sdk="azsdk-js-communication-identity", sdk_version="1.3.1") == 1
    assert found.value(REQUESTS, sdk="azsdk-net-Communication.Identity", sdk_version="1.3.1") == 1


def test_nothing_of_a_caller_is_in_it(server: RunningServer, client: SignedClient) -> None:
    custom_id = "ada@contoso.example"
    made = client.create({"customId": custom_id, "createTokenWithScopes": ["chat"]}, PREVIEW).json
    id, token = made["identity"]["id"], made["accessToken"]["token"]
    client.call("POST", "/introspect", f"token={token}".encode())
    client.get(id)
    text = scrape(server).text
    secret = server.operator_token.rpartition("_")[2]
    for said in (custom_id, id, id.rpartition("_")[2], token, first_resource(server).id, secret, "127.0.0.1"):
        assert said not in text, said


@pytest.mark.parametrize("accept", [OPEN_METRICS, f"{OPEN_METRICS},text/plain;version=0.0.4;q=0.5,*/*;q=0.1"])
def test_openmetrics_is_told_to_who_asks_for_it(server: RunningServer, accept: str) -> None:
    scrape(server)
    found = scrape(server, accept)
    assert found.text.endswith("# EOF\n")
    assert found.samples == scrape(server).samples


@pytest.mark.parametrize("accept", ["*/*", "text/plain; version=99", "application/openmetrics-text;version=x;q=;,"])
def test_no_accept_header_is_too_strange(server: RunningServer, accept: str) -> None:
    assert scrape(server, accept).has("process_cpu_seconds_total")


def test_the_library_is_not_loaded_before_the_first_scrape() -> None:
    program = (
        "import sys\n"
        "from watchword.settings import Settings\n"
        "from watchword.testing import running_server\n"
        "import httpx2\n"
        "with running_server(Settings(request_log=False, tls=False, operator_port=0)) as server:\n"
        "    for path, expected in (('/healthz', False), ('/metrics', True)):\n"
        "        assert httpx2.get(server.operator_endpoint + path).status_code == 200\n"
        "        assert ('prometheus_client' in sys.modules) == expected, path\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_where_strangers_come_it_takes_an_operators_token(server: RunningServer, client: SignedClient) -> None:
    for headers in ({}, {"Authorization": "Bearer wwo_0123456789abcdef_x"}, {"Authorization": "Basic eDp5"}):
        refused = httpx2.get(f"{server.endpoint}/metrics", headers=headers)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "AuthenticationFailed")
    assert client.call("GET", "/metrics").status == 401
    reader = transact(server, lambda transaction: create_operator(transaction, "prometheus", "reader", now_micros=0))
    assert scrape(server, token=str(reader)).value(REQUESTS, code="AuthenticationFailed") == 4
