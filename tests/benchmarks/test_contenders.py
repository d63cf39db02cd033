"""Who is measured answers rightly: a fast wrong answer is worth nothing."""

from contextlib import ExitStack
from pathlib import Path

import jwt
import pytest

from benchmarks import chat_limits, postgres
from benchmarks.chat_workloads import ANY_PAGE, FIRST_PAGE, LAST_PAGE, LIST_THREADS, SEND
from benchmarks.chats import ChatPlan
from benchmarks.contenders import watchword
from benchmarks.grown import ENGINES, grown
from benchmarks.peers import environments
from benchmarks.peers.moto_cognito import PASSWORD_SIGN_IN, moto_cognito
from benchmarks.peers.naive import naive
from benchmarks.peers.oidc_provider import CLIENT_CREDENTIALS, oidc_provider
from benchmarks.plan import temporary_folder
from benchmarks.workloads import CREATE, CREATE_WITH_TOKEN, ISSUE, REVOKE, Target
from tests.benchmarks.support import CORE, ask, proven_claims, send
from tests.support.requirements import require

SCOPES = "chat,voip"


@pytest.mark.parametrize("engine", ENGINES)
def test_inserted_identities_are_as_good_as_minted_ones_and_a_load_leaves_no_trace(engine: str) -> None:
    require("taskset", "taskset is not there: install the package util-linux")
    require(engine == "SQLite" or postgres.is_installed(), "PostgreSQL is not there: install the package postgresql")
    with temporary_folder() as folder, grown(folder, engine, 50, core=CORE) as database:
        contender = database.contender
        first, last = contender.target.identities[0], contender.target.identities[49]
        assert first != last
        resource = first.removeprefix("8:acs:").partition("_")[0]
        for number in (0, 1, 49):
            reply = ask(contender, ISSUE, number)
            claims = proven_claims(contender, "/.well-known/jwks.json", reply.json["token"], audience=resource)
            assert f"8:{claims['skypeid']}" in contender.target.identities
            assert claims["acsScope"] == SCOPES
        created = ask(contender, CREATE_WITH_TOKEN).json["identity"]["id"]
        assert ask(contender, CREATE).status == 201
        assert ask(contender, REVOKE).status == 204
        assert [ask(contender, ISSUE).status for _ in range(2)] == [200, 200]
        database.forget()
        [stranger] = ISSUE.requests(Target(contender.target.host, contender.target.key, [created]), 1)
        assert send(contender.process.port, stranger).status == 404
        assert ask(contender, ISSUE).status == 200
        assert database.size().on_disk > 0
        assert contender.process.cpu_seconds() > 0


@pytest.mark.parametrize("engine", ENGINES)
def test_chats_that_were_filled_in_are_as_good_as_sent_ones(engine: str) -> None:
    require("taskset", "taskset is not there: install the package util-linux")
    require(engine == "SQLite" or postgres.is_installed(), "PostgreSQL is not there: install the package postgresql")
    plan = ChatPlan(users=3, threads=9, messages_of_thread=45)
    with temporary_folder() as folder, ExitStack() as running:
        cluster = running.enter_context(postgres.cluster(folder, core=CORE)) if engine != "SQLite" else None
        contender = running.enter_context(
            watchword(folder, "ES256", identities=5, core=CORE, cluster=cluster, chat=plan)
        )
        for number in range(9):
            first, last = ask(contender, FIRST_PAGE, number).json, ask(contender, LAST_PAGE, number).json
            assert [each["sequenceId"] for each in first["value"]] == [str(each) for each in range(45, 25, -1)]
            assert [each["sequenceId"] for each in last["value"]] == [str(each) for each in range(20, 0, -1)]
            assert ("nextLink" in first, "nextLink" in last) == (True, False)
        assert len(ask(contender, ANY_PAGE, 5).json["value"]) == 20
        sent = ask(contender, SEND, 4)
        assert sent.status == 201
        assert ask(contender, FIRST_PAGE, 4).json["value"][0]["id"] == sent.json["id"]
        assert len(ask(contender, LIST_THREADS).json["value"]) == 6
        limits = chat_limits.measure(contender, CORE)
        assert sorted(limits) == ["page", "row", "threads", "token"]
        assert min(limits.values()) > 0


def test_naive_service_checks_signatures_and_signs_tokens_that_verify(tmp_path: Path) -> None:
    require(environments.python_is_ready(), "the peers are not installed: run make bench-peers")
    with naive(tmp_path, identities=10, core=CORE) as contender:
        reply = ask(contender, ISSUE, 3)
        claims = proven_claims(contender, "/jwks", reply.json["token"])
        assert f"8:{claims['skypeid']}" in contender.target.identities
        assert (claims["acsScope"], claims["exp"] - claims["iat"]) == (SCOPES, 86_400)
        created = ask(contender, CREATE_WITH_TOKEN).json
        token = proven_claims(contender, "/jwks", created["accessToken"]["token"])
        assert f"8:{token['skypeid']}" == created["identity"]["id"]
        assert ask(contender, CREATE).status == 201
        assert ask(contender, REVOKE).status == 204
        [signed] = ISSUE.requests(contender.target, 1)
        assert send(contender.process.port, signed.replace(b"chat", b"tach")).status == 401
        stranger = Target(contender.target.host, contender.target.key, ["8:acs:nobody"])
        assert send(contender.process.port, ISSUE.requests(stranger, 1)[0]).status == 404


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_oidc_provider_signs_tokens_that_verify(tmp_path: Path, algorithm: str) -> None:
    require(environments.node_is_ready(), "oidc-provider is not installed: run make bench-peers")
    with oidc_provider(tmp_path, algorithm, core=CORE) as contender:
        reply = ask(contender, CLIENT_CREDENTIALS)
        claims = proven_claims(contender, "/jwks", reply.json["access_token"], audience="https://api.example")
        assert (claims["scope"], claims["exp"] - claims["iat"]) == ("chat voip", 3_600)


def test_moto_signs_tokens_that_verify(tmp_path: Path) -> None:
    require(environments.python_is_ready(), "the peers are not installed: run make bench-peers")
    with moto_cognito(tmp_path, core=CORE) as contender:
        reply = ask(contender, PASSWORD_SIGN_IN, 3)
        token = reply.json["AuthenticationResult"]["AccessToken"]
        pool = jwt.decode(token, options={"verify_signature": False})["iss"].rpartition("/")[2]
        claims = proven_claims(contender, f"/{pool}/.well-known/jwks.json", token)
        assert claims["username"] == "user3"
