"""The official Python client reads what the trusted server sent, and what is left of what it redacted."""

from __future__ import annotations

from typing import Any

from azure.communication.chat import ChatClient, CommunicationTokenCredential

from tests.support.chat_users import new_user
from tests.support.servers import running_server
from tests.support.signed import SignedClient
from watchword.client import TrustedServer
from watchword.settings import Settings


def test_the_official_client_reads_a_message_of_the_trusted_server_and_what_was_redacted() -> None:
    with running_server(Settings(request_log=False, tls=False)) as server, SignedClient(server) as client:
        ada, ben = new_user(client), new_user(client)
        path = ada.new_thread(ben)
        thread = path.rpartition("/")[2]
        said = ada.send(path, "secret", senderDisplayName="Ada")
        with TrustedServer.from_connection_string(server.connection_string) as trusted:
            sent = trusted.send(thread, "news", sender_name="The house")
            trusted.update_thread(thread, topic="Dinner")
            for each in list(trusted.messages(thread)):
                if each.topic != "Dinner" and each.id != sent:
                    trusted.redact_message(thread, each.id)
        official: Any = ChatClient(server.endpoint, CommunicationTokenCredential(ben.token))
        found = {each.id: each for each in official.get_chat_thread_client(thread).list_messages(enforce_https=False)}
    assert len(found) == 5
    news, shell = found[sent], found[said]
    assert (news.content.message, news.sender_display_name) == ("news", "The house")
    assert news.sender.raw_id.endswith("_00000000-0000-0000-0000-000000000000")
    assert (shell.content.message, shell.sender.raw_id, shell.deleted_on is None) == ("", ada.id, False)
    told = sorted((each.content.topic or "", each.type) for each in found.values() if each.type != "text")
    assert told == [("", "participantAdded"), ("", "topicUpdated"), ("Dinner", "topicUpdated")]
