"""The official Python chat client, driven a line at a time: an order in, what the client made of the answer out.

python chat.py sync|aio

{"token":"eyJ...","operation":"sendMessage","arguments":{"thread":"19:...","content":"Hello"}}
{"value":"1749594020603"}
{"error":"HttpResponseError","status":403,"code":"Forbidden","message":"..."}
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from azure.communication.chat import ChatParticipant, CommunicationUserIdentifier
from azure.communication.chat._version import VERSION
from azure.core.exceptions import HttpResponseError

ENDPOINT = os.environ["CHAT_ENDPOINT"]
AIO = ".aio" if sys.argv[1] == "aio" else ""
KNOWS_TYPING_NAMES = not VERSION.startswith("1.0.")
CLIENT = importlib.import_module(f"azure.communication.chat{AIO}")


async def settle(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


async def pages(found: Any, show: Any) -> list[list[Any]]:
    by_page = found.by_page()
    if hasattr(by_page, "__anext__"):
        return [[show(each) async for each in page] async for page in by_page]
    return [[show(each) for each in page] for page in by_page]


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def time(found: datetime | None) -> str | None:
    return None if found is None else found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def user(found: Any) -> str | None:
    return None if found is None else found.properties["id"]


def entry(asked: dict[str, Any]) -> ChatParticipant:
    more = {"display_name": asked.get("name"), "share_history_time": moment(asked.get("since"))}
    given: dict[str, Any] = {name: value for name, value in more.items() if value is not None}
    return ChatParticipant(identifier=CommunicationUserIdentifier(asked["id"]), **given)


def invalid(found: Any) -> list[list[str | None]]:
    return [[user(participant.identifier), error.code, error.message] for participant, error in found or ()]


def thread(found: Any) -> dict[str, Any]:
    return {
        "id": found.id,
        "topic": found.topic,
        "createdOn": time(found.created_on),
        "createdBy": user(found.created_by),
    }


def item(found: Any) -> dict[str, Any]:
    return {
        "id": found.id,
        "topic": found.topic,
        "deletedOn": time(found.deleted_on),
        "lastMessageReceivedOn": time(found.last_message_received_on),
    }


def participant(found: Any) -> dict[str, Any]:
    return {"id": user(found.identifier), "name": found.display_name, "since": time(found.share_history_time)}


def message(found: Any) -> dict[str, Any]:
    content = found.content
    return {
        "id": found.id,
        "type": str(getattr(found.type, "value", found.type)),
        "sequence": found.sequence_id,
        "version": found.version,
        "content": content.message,
        "topic": content.topic,
        "participants": [participant(each) for each in content.participants or ()],
        "initiator": user(content.initiator),
        "name": found.sender_display_name,
        "sender": user(found.sender),
        "createdOn": time(found.created_on),
        "editedOn": time(found.edited_on),
        "deletedOn": time(found.deleted_on),
        "metadata": getattr(found, "metadata", None) or {},
    }


def receipt(found: Any) -> dict[str, Any]:
    return {"sender": user(found.sender), "message": found.chat_message_id, "readOn": time(found.read_on)}


def sized(asked: dict[str, Any]) -> dict[str, Any]:
    options = {
        "results_per_page": asked.get("size"),
        "start_time": moment(asked.get("start")),
        "skip": asked.get("skip"),
    }
    return {name: value for name, value in options.items() if value is not None}


def optional(**given: Any) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


async def carry_out(client: Any, operation: str, asked: dict[str, Any]) -> Any:  # noqa: C901 - a table.
    talk = client.get_chat_thread_client(asked["thread"]) if "thread" in asked else None
    match operation:
        case "createThread":
            entries = [entry(each) for each in asked.get("participants", ())]
            token = optional(idempotency_token=asked.get("repeatability"))
            made = await settle(client.create_chat_thread(asked["topic"], thread_participants=entries, **token))
            return {"thread": thread(made.chat_thread), "invalid": invalid(made.errors)}
        case "listThreads":
            return await pages(client.list_chat_threads(**sized(asked)), item)
        case "deleteThread":
            return await settle(client.delete_chat_thread(asked["thread"]))
    assert talk is not None
    match operation:
        case "getThread":
            return thread(await settle(talk.get_properties()))
        case "updateThread":
            return await settle(talk.update_topic(topic=asked["topic"]))
        case "listParticipants":
            return await pages(talk.list_participants(**sized(asked)), participant)
        case "addParticipants":
            return invalid(await settle(talk.add_participants([entry(each) for each in asked["participants"]])))
        case "removeParticipant":
            return await settle(talk.remove_participant(CommunicationUserIdentifier(asked["id"])))
        case "sendMessage":
            more = optional(
                sender_display_name=asked.get("name"),
                chat_message_type=asked.get("type"),
                metadata=asked.get("metadata"),
            )
            return (await settle(talk.send_message(asked["content"], **more))).id
        case "getMessage":
            return message(await settle(talk.get_message(asked["message"])))
        case "updateMessage":
            more = optional(content=asked.get("content"), metadata=asked.get("metadata"))
            return await settle(talk.update_message(asked["message"], **more))
        case "deleteMessage":
            return await settle(talk.delete_message(asked["message"]))
        case "listMessages":
            return await pages(talk.list_messages(**sized(asked)), message)
        case "sendReceipt":
            return await settle(talk.send_read_receipt(asked["message"]))
        case "listReceipts":
            return await pages(talk.list_read_receipts(**sized(asked)), receipt)
        case "sendTyping":
            named = optional(sender_display_name=asked.get("name")) if KNOWS_TYPING_NAMES else {}
            return await settle(talk.send_typing_notification(**named))
    raise LookupError(operation)


async def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        client = CLIENT.ChatClient(ENDPOINT, credential(order["token"]), retry_total=0)
        try:
            told = {"value": await carry_out(client, order["operation"], order["arguments"])}
        except HttpResponseError as error:
            detail: Any = error.error
            told = {
                "error": type(error).__name__,
                "status": error.status_code,
                "code": None if detail is None else detail.code,
                "message": None if detail is None else detail.message,
            }
        await settle(client.close())
        print(json.dumps(told), flush=True)


def credential(token: str) -> Any:
    return CLIENT.CommunicationTokenCredential(token)


asyncio.run(main())
