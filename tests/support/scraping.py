"""What a server tells Prometheus, read by the parsers of Prometheus's own library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from prometheus_client import openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from watchword.testing import RunningServer

OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


@dataclass(frozen=True)
class Scrape:
    """One answer; `families` are the library's."""

    text: str
    families: list[Any]

    @property
    def samples(self) -> set[str]:
        return {sample.name for family in self.families for sample in family.samples}

    def value(self, sample: str, **labels: str) -> float:
        """The sum of the samples of that name whose labels have these values."""
        found: list[float] = [
            each.value
            for family in self.families
            for each in family.samples
            if each.name == sample and labels.items() <= each.labels.items()
        ]
        assert found, f"no {sample} with {labels}"
        return sum(found)

    def labels(self, sample: str) -> list[Mapping[str, str]]:
        return [each.labels for family in self.families for each in family.samples if each.name == sample]

    def has(self, sample: str) -> bool:
        return bool(self.labels(sample))


def scrape(server: RunningServer, accept: str = "", token: str | None = None) -> Scrape:
    """As a scraper with the server's operator's token or another; at the operators' own port, if they have one."""
    endpoint = server.operator_endpoint or server.endpoint
    headers = {"Accept": accept, "Authorization": f"Bearer {server.operator_token if token is None else token}"}
    reply = httpx2.get(f"{endpoint}/metrics", headers=headers, verify=_verify(server), timeout=30)
    assert reply.status_code == 200, reply.text
    return parse(reply.text, reply.headers["content-type"])


def parse(text: str, media_type: str) -> Scrape:
    """By the parser of the media type; that of OpenMetrics is strict."""
    if media_type == openmetrics.exposition.CONTENT_TYPE_LATEST:
        return Scrape(text, list(openmetrics_parser.text_string_to_metric_families(text)))  # type: ignore[no-untyped-call]
    assert media_type == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(text, list(text_string_to_metric_families(text)))


def _verify(server: RunningServer) -> Any:
    return server.client_tls() if server.ca_file else True
