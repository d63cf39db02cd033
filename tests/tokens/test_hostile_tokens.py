"""Tokens that some verifier once accepted, each class by its name. The vectors are written down in tests/vectors."""

import json
from typing import Any

import pytest

from tests.support.requirements import PROJECT
from watchword.errors import InvalidToken
from watchword.tokens import KeySet, NothingRevoked, Verifier

VECTORS: dict[str, Any] = json.loads((PROJECT / "tests/vectors/hostile_tokens.json").read_text("ascii"))
KEYS = KeySet.from_json(json.dumps(VECTORS["keySet"]).encode())


class _Then:
    """The moment for which the vectors were made."""

    def micros(self) -> int:
        return int(VECTORS["micros"])


def _refusals(kind: str) -> list[tuple[str, str, str]]:
    """Comment, the check that should refuse and the one that did, of every vector of a class."""
    verifier = Verifier(KEYS, NothingRevoked(), _Then())
    found = []
    for vector in VECTORS["hostile"]:
        if vector["class"] == kind:
            try:
                verifier.verify(vector["token"])
                refused_by = "nothing"
            except InvalidToken as error:
                refused_by = error.check
            found.append((vector["comment"], vector["check"], refused_by))
    return found


def _assert_all_refused(kind: str, at_least: int) -> None:
    refusals = _refusals(kind)
    assert len(refusals) >= at_least
    assert [each for each in refusals if each[1] != each[2]] == []


@pytest.mark.parametrize("token", VECTORS["good"])
def test_the_tokens_that_the_hostile_ones_were_made_from_are_accepted(token: str) -> None:
    assert Verifier(KEYS, NothingRevoked(), _Then()).verify(token).scopes == {"chat", "voip"}


def test_alg_none_and_its_case_variants() -> None:
    _assert_all_refused("alg none", 19)


def test_hs_rs_es_confusion_and_a_public_jwk_as_hmac_secret_cve_2026_48526() -> None:
    _assert_all_refused("confusion", 80)


def test_key_embedded_in_or_named_by_the_header_cve_2026_27962() -> None:
    _assert_all_refused("embedded key", 11)


def test_key_id_injection() -> None:
    _assert_all_refused("key id", 22)


def test_oversized_header_cve_2025_61920() -> None:
    _assert_all_refused("size", 4)


def test_other_spellings_of_one_token() -> None:
    _assert_all_refused("spelling", 18)


def test_headers_that_demand_what_is_not_understood() -> None:
    _assert_all_refused("header", 16)


def test_signatures_of_the_wrong_form_cve_2022_21449() -> None:
    _assert_all_refused("signature", 9)


def test_millisecond_second_mismatch_and_other_impossible_claims() -> None:
    _assert_all_refused("claims", 37)


def test_every_vector_belongs_to_a_class_that_is_tested() -> None:
    tested = {"alg none", "confusion", "embedded key", "key id", "size", "spelling", "header", "signature", "claims"}
    assert {vector["class"] for vector in VECTORS["hostile"]} == tested
