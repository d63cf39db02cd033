"""Users who exchanged a token, in chat: those of Entra take part like identities, those of Teams not at all."""

import pytest

from tests.entra.conftest import Bear
from tests.support.chat_users import ChatUser, identifier, new_user, participant
from tests.support.exchanges import ENTRA, put, resource_id
from tests.support.provider import APPLICATION, TEAMS, TENANT, USER, Provider
from tests.support.signed import PREVIEW, SignedClient
from watchword.wire import chat

pytestmark = pytest.mark.usefixtures("nobody_assigned")

TEAMS_SCOPES = "Teams.ManageCalls Teams.ManageChats"


def exchange(provider: Provider, client: SignedClient, bear: Bear) -> ChatUser:
    put(client)
    reply = bear(provider.user_token(scp="Chat VoIP"), path=ENTRA, body=b"{}", version=PREVIEW)
    assert reply.status == 200, reply
    return ChatUser(client, reply.json["identity"]["id"], reply.json["accessToken"]["token"])


def test_an_exchanged_user_takes_part_and_may_be_added_before_the_first_exchange(
    provider: Provider, client: SignedClient, bear: Bear
) -> None:
    ada = new_user(client)
    early = f"8:acs:{resource_id(client)}_wf_{TENANT}_{USER}"
    thread = ada.new_thread()
    added = ada.ask("POST", f"{thread}/participants/:add", {"participants": [participant(early, displayName="Eve")]})
    assert (added.status, added.json) == (201, {})
    eve = exchange(provider, client, bear)
    assert eve.id == early
    id = eve.send(thread, "Here I am")
    found = ada.ask("GET", f"{thread}/messages/{id}").json
    assert found["senderCommunicationIdentifier"] == identifier(early)
    assert [each["id"] for each in eve.ask("GET", "/chat/threads").json["value"]] == [thread.rpartition("/")[2]]
    assert eve.ask("POST", f"{eve.new_thread(ada)}/typing").status == 200
    assert client.revoke(eve.id).status == 204
    assert eve.ask("GET", thread).status == 401


def test_an_exchanged_user_is_banned_before_the_first_exchange_and_can_be_let_in_again(
    provider: Provider, client: SignedClient, bear: Bear
) -> None:
    path = f"/trusted/restrictions/8:acs:{resource_id(client)}_wf_{TENANT}_{USER}"
    assert client.call("PUT", path, {"kind": "ban"}).status == 200
    eve = exchange(provider, client, bear)
    assert eve.ask("GET", "/chat/threads").status == 403
    assert client.call("DELETE", path).status == 204
    assert eve.ask("GET", "/chat/threads").status == 200


def test_a_teams_user_is_an_entry_that_is_refused_and_its_token_is_refused_everywhere(
    provider: Provider, client: SignedClient
) -> None:
    asked = {"token": provider.user_token(TEAMS, TEAMS_SCOPES), "appId": APPLICATION, "userId": USER}
    issued = client.call("POST", "/teamsUser/:exchangeAccessToken?api-version=2023-10-01", asked)
    assert issued.status == 200
    teams = ChatUser(client, f"8:orgid:{USER}", issued.json["token"])
    ada = new_user(client)
    thread = ada.new_thread()
    added = ada.ask("POST", f"{thread}/participants/:add", {"participants": [participant(teams.id)]})
    assert added.status == 201
    assert added.json["invalidParticipants"] == [
        {"target": teams.id, "code": "403", "message": "Permissions check failed"}
    ]
    parts = {"chatThreadId": thread.rpartition("/")[2], "chatMessageId": "1795898679444"}
    for operation in chat.OPERATIONS:
        reply = teams.ask(operation.method, operation.path.format(**parts), {"topic": "t"})
        assert (reply.status, reply.json["error"]["code"]) == (403, "Forbidden"), operation.id
        assert "Teams users" in reply.json["error"]["message"]
