"""What every official client must see, whatever its language: the assertions of the official test suites, and more.

A test module derives from these and says with which plans. The steps are those of the programs beside this module.
"""

import base64
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.sdk.programs import ALLOWED_MINUTES, REFUSED_MINUTES, Observation, Run
from tests.support.signed import SignedClient
from watchword.testing import RunningServer

_IDENTITY = re.compile(r"8:acs:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DAY_MINUTES = 1440

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

Introspect = Callable[[str | None], bool]
"""`is_active` of the server that the clients talked to."""


def is_active(server: RunningServer, token: str | None) -> bool:
    """Whether the server holds the token for valid at this moment."""
    assert token is not None
    with SignedClient(server) as client:
        reply = client.call("POST", "/introspect", urlencode({"token": token}).encode(), headers=_FORM)
    assert reply.status == 200, reply
    active: bool = reply.json["active"]
    return active


def claims(seen: Observation) -> Any:
    """The token's payload, in the alphabet of base64 that the strictest of the clients insists on."""
    assert seen.token is not None
    payload = seen.token.split(".")[1]
    return json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True))


def expiry(seen: Observation) -> datetime:
    assert seen.expires is not None
    return datetime.fromisoformat(seen.expires)


def assert_lives_for(run: Run, seen: Observation, minutes: int) -> None:
    """The client's expiry is that far from the request, and says the same as the token."""
    second, lifetime = timedelta(seconds=1), timedelta(minutes=minutes)
    assert run.began + lifetime - second <= expiry(seen) <= run.ended + lifetime + second
    assert 0 <= expiry(seen).timestamp() - claims(seen)["exp"] < 1
    assert claims(seen)["exp"] - claims(seen)["iat"] == minutes * 60


class IdentityContract:
    """Identities and tokens, in every api-version and every client."""

    def test_identity_has_the_form_that_clients_take_apart(self, run: Run) -> None:
        for step in ("create_user", f"create_user_and_token {run.plan.scopes[0]}"):
            assert _IDENTITY.fullmatch(run.success(step).id or "")

    def test_each_scope_alone_and_all_together_are_issued(self, run: Run) -> None:
        for scopes in run.plan.scope_sets:
            for seen in run.tokens(",".join(scopes)):
                assert claims(seen)["acsScope"].split(",") == list(scopes)

    def test_token_names_the_identity_that_it_was_issued_for(self, run: Run) -> None:
        created, issued = run.tokens(run.plan.scopes[0])
        assert f"8:{claims(created)['skypeid']}" == created.id
        assert f"8:{claims(issued)['skypeid']}" == run.success("create_user").id

    def test_default_lifetime_is_a_day(self, run: Run) -> None:
        for seen in run.tokens(",".join(run.plan.scopes)):
            assert_lives_for(run, seen, _DAY_MINUTES)

    def test_credential_of_the_client_reads_the_expiry_out_of_the_token(self, run: Run) -> None:
        seen = run.success("credential")
        assert expiry(seen).timestamp() == claims(seen)["exp"]

    def test_empty_scopes_are_refused_in_the_recorded_words(self, run: Run) -> None:
        expected = (400, "ValidationError", "Invalid scopes - Scopes field is required.")
        assert run.refusal("get_token no scopes") == expected

    def test_tokens_that_were_not_revoked_are_valid(self, run: Run, introspect: Introspect) -> None:
        assert all(introspect(seen.token) for seen in run.tokens(",".join(run.plan.scopes)))

    def test_revocation_kills_the_tokens_so_far_and_none_later(self, run: Run, introspect: Introspect) -> None:
        run.success("revoke_tokens")
        assert not introspect(run.success("token before revocation").token)
        assert introspect(run.success("token after revocation").token)

    def test_deletion_kills_the_tokens(self, run: Run, introspect: Introspect) -> None:
        run.success("delete_user")
        assert not introspect(run.success("token before deletion").token)

    def test_deleted_identity_is_not_found(self, run: Run) -> None:
        for operation in ("get_token", "revoke_tokens", "delete_user"):
            expected = (404, "IdentityNotFound", "Provided identity doesn't exist.")
            assert run.refusal(f"{operation} deleted") == expected

    def test_identity_of_another_resource_is_refused_in_the_recorded_words(self, run: Run) -> None:
        for operation in ("get_token", "revoke_tokens", "delete_user"):
            expected = (401, "IdentityNotOwned", "Provided identity doesn't belong to the resource.")
            assert run.refusal(f"{operation} foreign") == expected

    def test_secondary_key_is_as_good(self, run: Run) -> None:
        assert run.success("create_user secondary key").id

    def test_wrong_key_is_denied(self, run: Run) -> None:
        status, code, message = run.refusal("create_user wrong key")
        assert (status, code) == (401, "Denied")
        assert (message or "").startswith("Denied by the resource provider. ")


class LifetimeContract:
    """Lifetimes, since the api-version that knows them."""

    def test_shortest_and_longest_lifetime_are_granted_for_every_scope(self, run: Run) -> None:
        for scopes in run.plan.scope_sets:
            for minutes in ALLOWED_MINUTES:
                for seen in run.tokens(f"{','.join(scopes)} {minutes}"):
                    assert_lives_for(run, seen, minutes)

    def test_shorter_and_longer_lifetimes_are_refused_in_the_recorded_words(self, run: Run) -> None:
        for scopes in run.plan.scope_sets:
            for minutes in REFUSED_MINUTES:
                message = f"ExpiresInMinutes value {minutes} is invalid. Value must be within the [60, 1440] interval."
                for step in ("create_user_and_token", "get_token"):
                    refusal = run.refusal(f"{step} {','.join(scopes)} {minutes}")
                    assert refusal == (400, "ValidationError", message)


class TeamsContract:
    """The exchange of a Teams user's token, where no provider vouches for it."""

    def test_exchange_of_what_is_no_token_is_refused_as_recorded(self, run: Run) -> None:
        expected = (401, "InvalidAccessToken", "Provided access token is not valid.")
        assert run.refusal("get_token_for_teams_user") == expected
