"""When a coming signing key signs: said at start, waited for by `serve`, and not waited for by `dev`."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.support.commands import Home, answer, server


def test_start_says_when_a_key_of_another_algorithm_will_sign(home: Home) -> None:
    with server(home, "serve", "--no-tls") as first:
        assert "next signing key" not in first.start_up
    with server(home, "serve", "--no-tls", "--signing-algorithm", "RS256") as second:
        assert re.search(r"\(RS256\) signs from \d{4}-\d\d-\d\d ", second.fact("next signing key"))
        assert "12 hours" in second.start_up
        [signing, coming] = json.loads(answer(home, "keys", "list", "--data", second.data, "--json"))
    assert (signing["algorithm"], signing["state"]) == ("ES256", "signing")
    ahead = datetime.fromisoformat(coming["signs_from"]) - datetime.fromisoformat(coming["published"])
    hours = round(ahead / timedelta(hours=1), 2)
    assert (coming["algorithm"], coming["state"], hours) == ("RS256", "published", 25)


@pytest.mark.sqlite("`watchword dev` refuses PostgreSQL")
def test_a_new_algorithm_signs_at_once_and_keys_are_published_an_hour_ahead(home: Home, tmp_path: Path) -> None:
    place = ("--data", tmp_path / "data", "--no-tls", "--no-request-log")
    with server(home, "dev", *place):
        pass
    with server(home, "dev", *place, "--signing-algorithm", "RS256") as running:
        assert "next signing key" not in running.start_up
        token = answer(home, "token", "issue", "--scope", "chat").strip()
        assert json.loads(answer(home, "token", "inspect", token, "--json"))["header"]["alg"] == "RS256"
        coming = json.loads(answer(home, "keys", "rotate", "--json"))
    ahead = datetime.fromisoformat(coming["signs_from"]) - datetime.fromisoformat(coming["published"])
    hours = round(ahead / timedelta(hours=1), 2)
    assert hours == 1
