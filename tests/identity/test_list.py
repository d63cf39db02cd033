"""GET /identities, our own addition: pages, filters, and links that can be followed as they are."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.support.engines import FreshSettings
from tests.support.servers import running_server
from tests.support.signed import PREVIEW, SignedClient
from watchword.testing import RunningServer

CREATED = 25


@pytest.fixture(scope="module")
def server(fresh_settings: FreshSettings) -> Iterator[RunningServer]:
    with running_server(fresh_settings()) as running:
        yield running


@pytest.fixture(scope="module")
def ids(server: RunningServer) -> list[str]:
    """Identities that were created a second apart; every fifth has a custom id."""
    server.clock.stop()
    with SignedClient(server) as client:
        found = []
        for number in range(CREATED):
            body = {} if number % 5 else {"customId": f"user {number}+é"}
            found.append(client.create(body, PREVIEW).json["identity"]["id"])
            server.clock.move(timedelta(seconds=1))
        return found


def pages(client: SignedClient, target: str) -> list[list[str]]:
    found = []
    while target:
        reply = client.call("GET", target)
        assert reply.status == 200, reply
        found.append([row["id"] for row in reply.json["value"]])
        link = reply.json.get("nextLink", "")
        assert link == "" or link.startswith(f"{client.server.endpoint}/identities?")
        target = link.removeprefix(client.server.endpoint)
    return found


def test_everything_is_listed_oldest_first(client: SignedClient, ids: list[str]) -> None:
    assert pages(client, "/identities") == [ids]


@pytest.mark.parametrize("size", [1, 7, CREATED - 1, CREATED, CREATED + 1, 1000])
def test_pages_hold_everything_once_and_the_last_has_no_link(client: SignedClient, ids: list[str], size: int) -> None:
    found = pages(client, f"/identities?maxPageSize={size}")
    assert [id for page in found for id in page] == ids
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert 1 <= len(found[-1]) <= size


def test_any_api_version_or_none_will_do_and_links_keep_it(client: SignedClient, ids: list[str]) -> None:
    for version in ("1999-01-01", PREVIEW):
        reply = client.call("GET", f"/identities?api-version={version}&maxPageSize=2")
        assert f"api-version={version}" in reply.json["nextLink"]
        assert "maxpagesize=2" in reply.json["nextLink"].lower()


def test_the_custom_id_finds_its_identity_and_nothing_else(client: SignedClient, ids: list[str]) -> None:
    assert client.listed(f"?customId={quote('user 5+é')}") == [ids[5]]
    assert client.listed("?customId=user+5%2B%C3%A9") == [ids[5]]
    assert client.listed("?customId=user") == []
    assert client.listed("?customId=") == []
    row = client.call("GET", f"/identities?customId={quote('user 5+é')}").json["value"][0]
    assert list(row) == ["customId", "id", "createdOn"]


def test_creation_times_bound_the_list_from_both_sides(client: SignedClient, ids: list[str]) -> None:
    created = [row["createdOn"] for row in client.call("GET", "/identities").json["value"]]
    assert created == sorted(created)
    after, before = quote(created[5], safe=""), quote(created[20], safe="")
    assert client.listed(f"?createdAfter={after}") == ids[5:]
    assert client.listed(f"?createdBefore={before}") == ids[:20]
    assert client.listed(f"?createdAfter={after}&createdBefore={before}") == ids[5:20]
    assert client.listed(f"?createdAfter={before}&createdBefore={after}") == []
    # An unescaped + of the zone means the same.
    assert client.listed(f"?createdAfter={created[5]}") == ids[5:]
    paged = pages(client, f"/identities?createdAfter={after}&createdBefore={before}&maxPageSize=4")
    assert [id for page in paged for id in page] == ids[5:20]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B23:59", "1970-01-01", "9999-12-31T23:59:59-23:59"])
def test_every_time_of_the_calendar_is_understood(client: SignedClient, moment: str) -> None:
    assert client.call("GET", f"/identities?createdAfter={moment}&createdBefore={moment}").status == 200


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("maxPageSize=0", "maxPageSize"),
        ("maxPageSize=1001", "maxPageSize"),
        ("maxPageSize=-1", "maxPageSize"),
        ("maxPageSize=ten", "maxPageSize"),
        ("maxPageSize=" + "9" * 5_000, "maxPageSize"),
        ("maxPageSize=", "maxPageSize"),
        ("createdAfter=yesterday", "createdAfter"),
        ("createdBefore=", "createdBefore"),
        ("continuationToken=x", "continuationToken"),
        ("continuationToken=%ff%00", "continuationToken"),
    ],
)
def test_a_query_that_cannot_be_read_is_told(client: SignedClient, ids: list[str], query: str, target: str) -> None:
    reply = client.call("GET", f"/identities?{query}")
    assert (reply.status, reply.error["target"]) == (400, target)


def test_identities_that_come_and_go_between_pages_disturb_no_others(client: SignedClient, ids: list[str]) -> None:
    first = client.call("GET", "/identities?maxPageSize=10")
    newcomer = client.new_identity()
    link = first.json["nextLink"].removeprefix(client.server.endpoint)
    rest = [id for page in pages(client, link) for id in page]
    assert rest == [*ids[10:], newcomer]
    client.delete(newcomer)
