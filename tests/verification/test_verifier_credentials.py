"""Verifier credentials: good for asking, in the two forms that stock clients speak, and for nothing else."""

import base64

import pytest

from tests.support.data import add_verifier, first_resource, transact
from tests.support.signed import NEWEST, ZERO_ID
from tests.verification.conftest import World, basic
from watchword.identifiers import new_key_id
from watchword.resources.verifier_credentials import delete_verifier_credential, list_verifier_credentials


def _parts(credential: str) -> tuple[str, str]:
    _, id, secret = credential.split("_", 2)
    return id, secret


def test_bearer_and_both_forms_of_basic_are_the_same_credential(world: World) -> None:
    id, secret = _parts(world.credential)
    token = world.new_token()
    for authorization in (
        f"Bearer {world.credential}",
        f"bearer  {world.credential}",
        basic(id, secret),
        basic("anything", world.credential),
        basic("", world.credential),
        basic(id, secret).replace("Basic", "BASIC"),
    ):
        asker = world.as_verifier(authorization)
        assert asker.introspect(token)["active"], authorization
        assert asker.ask("GET", "/revocations").status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/revoke"),
        ("GET", "/identities"),
        ("POST", f"/identities?api-version={NEWEST}"),
        ("DELETE", f"/identities/{ZERO_ID}?api-version={NEWEST}"),
        ("POST", f"/identities/{ZERO_ID}/:issueAccessToken?api-version={NEWEST}"),
        ("POST", f"/identities/{ZERO_ID}/:revokeAccessTokens?api-version={NEWEST}"),
        ("PATCH", f"/identities/{ZERO_ID}?api-version=2020-07-20-preview2"),
    ],
)
def test_it_is_good_for_nothing_else(world: World, method: str, target: str) -> None:
    reply = world.verifier.ask(method, target, b"token=x")
    assert (reply.status, reply.error["code"]) == (403, "Forbidden")


def test_it_learns_of_its_own_resource_only(world: World) -> None:
    theirs = world.as_verifier(f"Bearer {add_verifier(world.server, world.other.resource)}")
    ours, foreign = world.new_token(), world.new_token("other")
    assert [world.verifier.introspect(token)["active"] for token in (ours, foreign)] == [True, False]
    assert [theirs.introspect(token)["active"] for token in (ours, foreign)] == [False, True]
    assert theirs.page()["resource"] == world.other.resource.id


def test_it_is_refused_at_once_when_it_was_deleted(world: World) -> None:
    credential = add_verifier(world.server, first_resource(world.server))
    asker = world.as_verifier(f"Bearer {credential}")
    assert asker.ask("GET", "/revocations").status == 200
    assert transact(world.server, lambda transaction: delete_verifier_credential(transaction, _parts(credential)[0]))
    assert asker.ask("GET", "/revocations").status == 401
    assert world.verifier.ask("GET", "/revocations").status == 200


def test_two_at_a_time_let_one_be_replaced_without_a_gap(world: World) -> None:
    newer = world.as_verifier(f"Bearer {add_verifier(world.server, first_resource(world.server))}")
    assert [asker.ask("GET", "/revocations").status for asker in (world.verifier, newer)] == [200, 200]


def test_what_is_stored_does_not_tell_the_secret(world: World) -> None:
    _, secret = _parts(world.credential)
    kept = transact(world.server, lambda transaction: transaction.execute("select * from verifier_credentials"))
    assert secret.encode() not in repr(kept).encode()
    assert base64.urlsafe_b64decode(secret + "=") not in {value for row in kept for value in row}
    assert secret not in repr(transact(world.server, list_verifier_credentials))


def test_whatever_is_almost_a_credential_is_refused_alike(world: World) -> None:
    id, secret = _parts(world.credential)
    answers = set()
    for authorization in (
        f"Bearer wwv_{new_key_id()}_{secret}",
        f"Bearer wwv_{id}_{secret[:-1]}",
        f"Bearer wwv_{id}_{secret}x",
        f"Bearer wwv_{id}_",
        basic(f"{id}\0", secret),
        f"Bearer wwv_{id}",
        "Bearer wwv_",
        f"Bearer wwv_{id.upper()}_{secret}",
        f"Bearer wwv_{id}' or '1'='1_{secret}",
        f"Bearer {world.credential}, Bearer {world.credential}",
        basic(id, ""),
        basic(id, secret + " "),
        basic("", secret),
        basic("é", "\udcff".encode("utf-8", "surrogatepass").decode("latin-1")),
    ):
        reply = world.as_verifier(authorization).ask("GET", "/revocations")
        answers.add((reply.status, reply.body))
    assert [status for status, _ in answers] == [401]


@pytest.mark.parametrize(
    "value", ["Basic", "Basic !", "Basic " + base64.b64encode(b"\xff").decode(), "Basic YTpi\u00e9"]
)
def test_basic_that_cannot_be_read_is_refused(world: World, value: str) -> None:
    assert world.as_verifier(value).ask("GET", "/revocations").status == 401
