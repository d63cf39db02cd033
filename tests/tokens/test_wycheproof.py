"""Wycheproof's vectors for JSON Web Signature, Key and Crypto, at the layer of keys and signatures.

Every vector is run. What it says of an algorithm that no key of ours may have is decided here, in writing:

    vectors                       Wycheproof   here      because
    RS256, ES256                  valid        accepted
    HS256, HS384, HS512           valid        refused   a secret that verifies can also sign: no verifier may hold one
    RS384, RS512, ES512           valid        refused   never issued; each more is one more to confuse
    PS256, PS384, PS512           valid        refused   the same
    JWE (json_web_crypto)         valid        refused   an access token is signed, never encrypted
    everything else               invalid      refused   without exception, whatever the algorithm

There is no `acceptable` one in these files; the first test says so, so that a newer file cannot bring one unnoticed.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.support.requirements import shared
from watchword.errors import InvalidToken
from watchword.tokens.jwks import KeySet
from watchword.tokens.jws import verify_jws

FILES = ("json_web_signature_test", "json_web_key_test", "json_web_crypto_test")
SUPPORTED = {"RS256", "ES256", "EdDSA"}


class Vector(NamedTuple):
    name: str
    result: str
    algorithms: frozenset[str]
    keys: dict[str, Any]
    token: str


def _vectors() -> Iterator[Vector]:
    for file in FILES:
        for group in json.loads(shared(f"vectors/wycheproof/{file}.json").read_text("utf-8"))["testGroups"]:
            key = group.get("public") or group["private"]
            keys = key if "keys" in key else {"keys": [key]}
            algorithms = frozenset(each.get("alg", "") for each in keys["keys"])
            for test in group["tests"]:
                token = test.get("jws", test.get("jwe"))
                text = token if isinstance(token, str) else json.dumps(token)
                name = f"{file}-{test['tcId']}-{test['comment']}"
                yield Vector(name, test["result"], algorithms, keys, text)


VECTORS = list(_vectors())


def test_the_decisions_cover_every_vector() -> None:
    assert Counter(vector.result for vector in VECTORS)["acceptable"] == 0
    assert {vector.result for vector in VECTORS} == {"valid", "invalid"}
    valid = Counter(next(iter(vector.algorithms)) for vector in VECTORS if vector.result == "valid")
    # ES521 is how Wycheproof spells ES512 in two keys of RFC 7520; the A and ECDH rows are its two JWEs.
    assert set(valid) - SUPPORTED == {
        "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "PS384", "PS512", "ES521", "A256KW", "ECDH-ES+A128KW",
    }  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_wycheproof(vector: Vector) -> None:
    keys = KeySet.from_json(json.dumps(vector.keys).encode())
    if vector.result == "valid" and vector.algorithms <= SUPPORTED:
        assert verify_jws(vector.token, keys)[1].algorithm in vector.algorithms
    else:
        with pytest.raises(InvalidToken):
            verify_jws(vector.token, keys)
