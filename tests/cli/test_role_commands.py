"""`watchword role`: given, listed, and taken away, on the data directory of a server that runs."""

import json

from tests.support.commands import Home, Server, answer, refusal, run
from tests.support.provider import PRINCIPAL


def test_a_role_is_given_listed_and_taken_away(shared_home: Home, shared_server: Server) -> None:
    given = run(shared_home, "role", "assign", "--principal", PRINCIPAL.upper(), "--data", shared_server.data)
    assert (given.returncode, given.stdout) == (0, "")
    assert f"{PRINCIPAL} is contributor on the resource dev." in given.stderr
    listed = json.loads(answer(shared_home, "role", "list", "--json", "--data", shared_server.data))
    assert listed == [{"resource": "dev", "principal": PRINCIPAL, "role": "contributor"}]
    assert PRINCIPAL in answer(shared_home, "role", "list", "--data", shared_server.data)
    taken = ("role", "remove", "--principal", PRINCIPAL, "--yes", "--data", shared_server.data)
    assert run(shared_home, *taken).returncode == 0
    assert "has no role on the resource dev." in refusal(shared_home, *taken)
    assert json.loads(answer(shared_home, "role", "list", "--json", "--data", shared_server.data)) == []


def test_a_role_on_the_management_api_is_given_listed_and_taken_away(shared_home: Home, shared_server: Server) -> None:
    data = ("--data", shared_server.data)
    for name in ("contributor", "reader"):
        given = run(shared_home, "role", "assign", "--management", PRINCIPAL.upper(), "--role", name, *data)
        assert given.returncode == 0
        assert f"{PRINCIPAL} is {name} on the management API." in given.stderr
    listed = json.loads(answer(shared_home, "role", "list", "--json", *data))
    assert listed == [{"resource": None, "principal": PRINCIPAL, "role": "reader"}]
    assert "(the management API)" in answer(shared_home, "role", "list", *data)
    assert "has no role on the resource dev." in refusal(
        shared_home, "role", "remove", "--principal", PRINCIPAL, "--yes", *data
    )
    taken = ("role", "remove", "--management", PRINCIPAL, "--yes", *data)
    assert run(shared_home, *taken).returncode == 0
    assert "has no role on the management API." in refusal(shared_home, *taken)


def test_a_role_is_either_on_a_resource_or_on_the_management_api(shared_home: Home, shared_server: Server) -> None:
    for options, sentence in [
        ((), "Whose role, and on what?"),
        (("--principal", "x", "--management", "x"), "Whose role, and on what?"),
        (("--management", "x", "--resource", "dev"), "of the whole server"),
        (("--principal", "x", "--role", "reader"), "only the role contributor"),
    ]:
        assert sentence in refusal(shared_home, "role", "assign", *options, "--data", shared_server.data)


def test_what_no_issuer_could_have_given_is_no_principal(shared_home: Home, shared_server: Server) -> None:
    for text in ("", "two words", "x" * 257):
        told = refusal(shared_home, "role", "assign", "--principal", text, "--data", shared_server.data)
        assert "object id or an application id" in told


def test_a_resource_that_is_not_there_is_named(shared_home: Home, shared_server: Server) -> None:
    told = refusal(
        shared_home, "role", "assign", "--principal", "x", "--resource", "other", "--data", shared_server.data
    )
    assert "There is no resource other." in told
