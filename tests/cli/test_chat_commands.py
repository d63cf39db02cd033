"""`watchword chat` against the server that runs: what a user sees, says and deletes."""

import json
import re

import pytest

from tests.support.commands import Home, Server, answer, refusal, run
from watchword.cli.transcript import transcript
from watchword.wire import chat_answers as answers

pytestmark = pytest.mark.usefixtures("shared_server")

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d"


@pytest.fixture(scope="module")
def ada(shared_home: Home) -> str:
    return answer(shared_home, "identity", "create").strip()


@pytest.fixture
def thread(shared_home: Home, shared_server: Server, ada: str) -> str:
    """Made as an app's server makes one."""
    from watchword.cli.chat_session import ChatSession
    from watchword.cli.connection import trust_for
    from watchword.client import IdentityClient
    from watchword.server.folders import Folders

    folders = Folders(shared_home.folder / "data", shared_home.folder / "state")
    verify = trust_for(shared_server.endpoint, folders)
    with IdentityClient.from_connection_string(shared_server.connection_string, verify=verify) as client:
        token = client.get_token(ada, ["chat"]).token
    with ChatSession(shared_server.endpoint, ada, token, verify=verify) as session:
        return session.create_thread("Lunch", {ada: "Ada"}).id


def test_a_thread_is_listed_shown_written_to_and_deleted(shared_home: Home, ada: str, thread: str) -> None:
    sent = answer(shared_home, "chat", "send", thread, "Come over", "--as", ada, "--sender-name", "Ada L.").strip()
    other = json.loads(
        answer(shared_home, "chat", "send", thread, "<p>At <b>noon</b>?</p>", "--as", ada, "--html", "--json")
    )
    typed = answer(shared_home, "chat", "send", thread, "-", "--as", ada, given="two\nlines").strip()
    [listed] = [
        each for each in json.loads(answer(shared_home, "chat", "list", "--as", ada, "--json")) if each["id"] == thread
    ]
    assert (listed["topic"], listed["deleted"], bool(listed["last_message"])) == ("Lunch", None, True)
    assert re.search(rf"^{re.escape(thread)}  +Lunch  ", answer(shared_home, "chat", "list", "--as", ada), re.MULTILINE)

    shown = answer(shared_home, "chat", "show", thread, "--as", ada)
    assert re.fullmatch(
        rf"""  topic        Lunch
  created      [\d:TZ-]+
  participant  Ada \({ada}\)

{TIME}  Ada added Ada\.
{TIME}  Ada set the topic: Lunch
{TIME}  Ada: Come over
{TIME}  Ada: At noon\?
{TIME}  Ada: two
 +lines
""",
        shown,
    )
    assert len(answer(shared_home, "chat", "show", thread, "--as", ada, "--last", "1").splitlines()) == 6
    told = json.loads(answer(shared_home, "chat", "show", thread, "--as", ada, "--json"))
    assert told["thread"]["id"] == thread
    assert [each["id"] for each in told["messages"][2:]] == [sent, other["id"], typed]
    assert [each["displayName"] for each in told["participants"]] == ["Ada"]

    assert "--yes" in refusal(shared_home, "chat", "delete", thread, "--as", ada)
    answer(shared_home, "chat", "delete", thread, "--as", ada, "--message", sent, "--yes")
    assert "Ada: (deleted)" in answer(shared_home, "chat", "show", thread, "--as", ada)
    answer(shared_home, "chat", "delete", thread, "--as", ada, "--yes")
    assert "The specified thread id was not found" in refusal(shared_home, "chat", "show", thread, "--as", ada)


def test_a_list_of_many_messages_is_followed_to_its_end(shared_home: Home, ada: str, thread: str) -> None:
    for number in range(3):
        answer(shared_home, "chat", "send", thread, f"number {number}", "--as", ada)
    from watchword.cli import chat_session

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chat_session, "_PAGE", 2)
        shown = answer(shared_home, "chat", "show", thread, "--as", ada)
    assert len(re.findall(f"(?m)^{TIME}", shown)) == 5


def test_whoever_is_nobody_or_no_member_is_told_so(shared_home: Home, ada: str, thread: str) -> None:
    stranger = answer(shared_home, "identity", "create").strip()
    assert "Only a participant" in refusal(shared_home, "chat", "send", thread, "Hello", "--as", stranger)
    assert "invalid format" in refusal(shared_home, "chat", "list", "--as", "nobody")
    assert "not valid" in refusal(shared_home, "chat", "show", "../../identities", "--as", ada)
    assert run(shared_home, "chat", "list").returncode == 2


def test_the_token_of_a_command_is_revoked_after_it(
    shared_home: Home, ada: str, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from watchword.cli import chat_session

    used: list[str] = []

    class Watched(chat_session.ChatSession):
        def __init__(self, endpoint: str, user: str, token: str, **more: object) -> None:
            used.append(token)
            super().__init__(endpoint, user, token, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(chat_session, "ChatSession", Watched)
    answer(shared_home, "chat", "show", thread, "--as", ada)
    refusal(shared_home, "chat", "delete", thread, "--as", ada, "--message", "1", "--yes")
    assert len(used) == 2
    for token in used:
        assert "revoked" in refusal(shared_home, "token", "verify", token)


def test_nothing_that_somebody_wrote_gets_power_over_the_terminal() -> None:
    user = answers.IdentifierBody("8:acs:x", answers.UserIdentifierBody("8:acs:x"))
    hostile = "\x1b]0;title\x07\x1b[2Jgone\u202eback\rover\n\U0001f468\u200d\U0001f469"
    message = answers.MessageBody(
        id="1", type="text", sequenceId="1", version="1", createdOn="2026-11-21T01:14:27Z",
        content=answers.MessageContentBody(message=hostile), senderCommunicationIdentifier=user,
    )  # fmt: skip
    [first, second] = transcript([message], {"8:acs:x": "A\x1b[31m\nda"})
    assert first.endswith("A?[31m?da: ?]0;title??[2Jgone?back?over")
    assert second.endswith("  \U0001f468\u200d\U0001f469")
