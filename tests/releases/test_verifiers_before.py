"""Who verifies with a release before this one, or as its page said, and is given a token of this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import jwt
import pytest

from tests.support.releases import WHEELS, environment_of, name_of
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.settings import Settings

CREATE = "/identities?api-version=2023-10-01"
VERIFY = """
import os
from watchword.clock import SystemClock
from watchword.tokens import KeySet, NothingRevoked, Verifier
keys = KeySet.from_json(os.environ["KEY_SET"].encode())
print(Verifier(keys, NothingRevoked(), SystemClock()).verify(os.environ["TOKEN"]).identity)
"""


def issued(settings: Settings) -> tuple[str, str, str]:
    """An identity, a token of it, and the key set."""
    with running_server(settings) as server, SignedClient(server) as client:
        made = client.call("POST", CREATE, b'{"createTokenWithScopes":["chat"]}').json
        key_set = httpx2.get(f"{server.endpoint}/.well-known/jwks.json").text
        return made["identity"]["id"], made["accessToken"]["token"], key_set


@pytest.mark.parametrize("wheel", WHEELS, ids=name_of)
def test_a_released_verifier_accepts_a_token_that_names_issuer_and_audience(wheel: Path, tmp_path: Path) -> None:
    identity, token, key_set = issued(Settings(request_log=False, tls=False))
    environment = {"PATH": os.defpath, "KEY_SET": key_set, "TOKEN": token} | environment_of(wheel, tmp_path)
    run = subprocess.run(
        [sys.executable, "-c", VERIFY], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.stdout.strip() == identity, run.stderr


def test_pyjwt_that_names_no_audience_refuses_a_token_that_has_one_and_a_setting_helps() -> None:
    def as_before(token: str, key_set: str) -> str:
        """By the rules of the page of 0.2.0: the key by its id, its algorithm, and an expiry."""
        keys = jwt.PyJWKSet.from_json(key_set)
        key = keys[jwt.get_unverified_header(token)["kid"]]
        found = jwt.decode(token, key, algorithms=["ES256"], options={"require": ["exp"]})
        return f"8:{found['skypeid']}"

    identity, token, key_set = issued(Settings(request_log=False, tls=False))
    with pytest.raises(jwt.InvalidAudienceError):
        as_before(token, key_set)
    assert json.loads(key_set)["keys"]
    identity, token, key_set = issued(Settings(request_log=False, tls=False, issuer_and_audience=False))
    assert as_before(token, key_set) == identity
