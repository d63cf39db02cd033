"""The operations of chat, and what each api-version shows, are what the published documents say."""

import json
from typing import Any

import msgspec
import pytest

from tests.support.requirements import shared
from watchword.tokens import scopes
from watchword.wire import chat
from watchword.wire import chat_answers as answers
from watchword.wire import chat_versions as versions
from watchword.wire.operations import Operation

BOUND = {operation.id: operation for operation in (*chat.OPERATIONS, *chat.REFUSED)}

GIVEN: dict[str, tuple[type[msgspec.Struct], tuple[str, ...]]] = {
    "ChatThreadProperties": (answers.ThreadBody, ("deletedOn",)),
    "CreateChatThreadResult": (answers.CreatedThreadBody, ()),
    "ChatThreadItem": (answers.ThreadItemBody, ()),
    "ChatThreadsItemCollection": (answers.ThreadPage, ()),
    "ChatParticipant": (answers.ParticipantBody, ()),
    "ChatParticipantsCollection": (answers.ParticipantPage, ()),
    "AddChatParticipantsResult": (answers.AddedBody, ()),
    "ChatMessageContent": (answers.MessageContentBody, ()),
    "ChatMessage": (answers.MessageBody, ("policyViolation",)),
    "ChatMessagesCollection": (answers.MessagePage, ()),
    "SendChatMessageResult": (answers.SentBody, ()),
    "ChatMessageReadReceipt": (answers.ReceiptBody, ()),
    "ChatMessageReadReceiptsCollection": (answers.ReceiptPage, ()),
}
"""By the name of a definition: what we answer with, and the members that no answer of ours ever has."""

TAKEN = {
    "CreateChatThreadRequest": chat.CREATE_THREAD,
    "UpdateChatThreadRequest": chat.UPDATE_THREAD,
    "AddChatParticipantsRequest": chat.ADD_PARTICIPANTS,
    "SendChatMessageRequest": chat.SEND_MESSAGE,
    "UpdateChatMessageRequest": chat.UPDATE_MESSAGE,
    "SendReadReceiptRequest": chat.SEND_RECEIPT,
    "SendTypingNotificationRequest": chat.SEND_TYPING,
}

BY_VERSION = {
    ("ChatMessage", "metadata"): versions.MESSAGE_METADATA,
    ("ChatMessageContent", "attachments"): versions.ATTACHMENTS,
    ("ChatThreadProperties", "metadata"): versions.METADATA,
    ("ChatParticipant", "metadata"): versions.METADATA,
    ("ChatThreadProperties", "retentionPolicy"): versions.RETENTION,
    ("ChatThreadProperties", "messagingPolicy"): versions.MESSAGING_POLICY,
    ("SendChatMessageRequest", "attachments"): versions.IMAGES,
    ("SendTypingNotificationRequest", "senderDisplayName"): versions.TYPING_NAMES,
}


def published(version: str) -> Any:
    [folder] = shared("contract/specs/data-plane/Chat").glob(f"*/{version}")
    return json.loads((folder / "communicationserviceschat.json").read_text("utf-8"))


DOCUMENTS = {version: published(version) for version in versions.ALL}


def members(shape: type[Any]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(shape)}


def defined(version: str, name: str) -> set[str]:
    return set(DOCUMENTS[version]["definitions"].get(name, {}).get("properties", {}))


@pytest.mark.parametrize("version", versions.ALL)
def test_every_published_operation_is_bound_or_refused_under_its_own_name(version: str) -> None:
    found = {
        (operation["operationId"], method.upper(), path)
        for path, methods in DOCUMENTS[version]["paths"].items()
        for method, operation in methods.items()
    }
    ours = {(each.id, each.method, each.path) for each in BOUND.values() if version in (each.versions or ())}
    assert found == ours


@pytest.mark.parametrize("version", versions.ALL)
def test_every_operation_succeeds_with_the_published_status_and_takes_the_published_parameters(version: str) -> None:
    for path, methods in DOCUMENTS[version]["paths"].items():
        for method, described in methods.items():
            operation = BOUND[described["operationId"]]
            assert str(operation.success) in described["responses"], (method, path)
            taken = {each["name"] for each in described["parameters"] if each.get("in") in ("query", "header")}
            if not operation.refusal:
                assert {each.name for each in operation.parameters} - {"syncState"} == taken


def test_the_scopes_are_those_that_tokens_know() -> None:
    for operation in chat.OPERATIONS:
        assert frozenset(operation.scopes) == scopes.OPERATIONS[operation.id]
    assert {each.id for each in chat.OPERATIONS} == {id for id in scopes.OPERATIONS if id.startswith("Chat")}


@pytest.mark.parametrize(("name", "member"), BY_VERSION)
def test_a_member_is_shown_by_the_versions_whose_document_has_it(name: str, member: str) -> None:
    showing = {version for version in versions.ALL if member in defined(version, name)}
    assert showing == set(BY_VERSION[name, member])


@pytest.mark.parametrize("name", GIVEN)
def test_answers_have_the_published_members(name: str) -> None:
    shape, absent = GIVEN[name]
    for version in versions.ALL:
        differing = {member for of, member in BY_VERSION if of == name and version not in BY_VERSION[of, member]}
        assert defined(version, name) - set(absent) == members(shape) - differing, version


@pytest.mark.parametrize("name", TAKEN)
def test_requests_have_the_published_members(name: str) -> None:
    operation: Operation = TAKEN[name]
    for version in versions.ALL:
        [shape] = [each.shape for each in operation.takes if version in (each.versions or versions.ALL)]
        assert members(shape) == defined(version, name), version


def test_versions_are_listed_as_recorded() -> None:
    # Observed: chat.md section 2.1; typing began a version later.
    recorded = (
        "2021-03-07, 2021-04-05-preview6, 2021-09-07, 2023-04-01-preview, 2023-07-01-preview, 2023-11-07, "
        "2023-11-15-preview, 2024-03-01-preview, 2024-03-07, 2024-03-15-preview, 2024-06-05-preview, 2025-03-15"
    )
    for operation in chat.OPERATIONS:
        listed = ", ".join(operation.listed_versions or ())
        assert listed == (recorded.removeprefix("2021-03-07, ") if operation is chat.SEND_TYPING else recorded)
        assert operation.versions == versions.ALL
