"""What a user of the official Python client does; prints what it saw, a line of JSON for each step.

    python scenario.py sync|aio [api-version]

Runs on every version of the client, the oldest included, and knows nothing of Watchword but connection strings.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.communication.identity import CommunicationUserIdentifier
from azure.core.exceptions import HttpResponseError

FOREIGN = CommunicationUserIdentifier("8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000")
SCOPES = os.environ["SCOPES"].split(",")
MINUTES = [int(minutes) for minutes in os.environ["MINUTES"].split(",") if minutes]


async def settle(answer: Any) -> Any:
    """The answer of either kind of client."""
    return await answer if inspect.isawaitable(answer) else answer


async def record(step: str, operation: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Take one step, and print what the client made of the answer."""
    seen: dict[str, Any] = {"step": step}
    result = None
    try:
        result = await settle(operation(*arguments, **options))
    except HttpResponseError as error:
        detail: Any = error.error
        seen["error"] = type(error).__name__
        seen |= {"status": error.status_code, "code": detail.code, "message": detail.message}
    user, token = result if type(result) is tuple else (result, result)
    if hasattr(user, "properties"):
        seen["id"] = user.properties["id"]
    if hasattr(token, "token"):
        # A string, untouched, in new clients; a datetime in old ones.
        seen |= {"token": token.token, "expires": str(token.expires_on)}
    print(json.dumps(seen))
    return result


async def issue(client: Any, user: Any) -> None:
    for scopes in [*([scope] for scope in SCOPES), SCOPES]:
        words = ",".join(scopes)
        await record(f"create_user_and_token {words}", client.create_user_and_token, scopes)
        await record(f"get_token {words}", client.get_token, user, scopes)
        for minutes in MINUTES:
            lifetime = {"token_expires_in": timedelta(minutes=minutes)}
            await record(f"create_user_and_token {words} {minutes}", client.create_user_and_token, scopes, **lifetime)
            await record(f"get_token {words} {minutes}", client.get_token, user, scopes, **lifetime)
    await record("get_token no scopes", client.get_token, user, [])


async def read_token(token: str, credential_class: Any) -> None:
    read = await settle(credential_class(token).get_token())
    expires = datetime.fromtimestamp(read.expires_on, UTC).isoformat()
    print(json.dumps({"step": "credential", "token": read.token, "expires": expires}))


async def revoke_and_delete(client: Any) -> None:
    user, _ = await record("token before revocation", client.create_user_and_token, SCOPES)
    await record("revoke_tokens", client.revoke_tokens, user)
    await record("token after revocation", client.get_token, user, SCOPES)
    deleted, _ = await record("token before deletion", client.create_user_and_token, SCOPES)
    await record("delete_user", client.delete_user, deleted)
    for name, whose in (("deleted", deleted), ("foreign", FOREIGN)):
        await record(f"get_token {name}", client.get_token, whose, SCOPES)
        await record(f"revoke_tokens {name}", client.revoke_tokens, whose)
        await record(f"delete_user {name}", client.delete_user, whose)


async def main(kind: str, *version: str) -> None:
    asynchronous = kind == "aio"
    package = "azure.communication.identity"
    client_class = importlib.import_module(package + (".aio" if asynchronous else "")).CommunicationIdentityClient
    # The same class that the chat client shows its users.
    credentials = f"{package}._shared.user_credential" + ("_async" if asynchronous else "")
    credential_class = importlib.import_module(credentials).CommunicationTokenCredential

    def connect(variable: str) -> Any:
        options = {"api_version": version[0]} if version else {}
        return client_class.from_connection_string(os.environ[variable], retry_total=0, **options)

    client = connect("COMMUNICATION_SERVICES_CONNECTION_STRING")
    user = await record("create_user", client.create_user)
    await issue(client, user)
    await read_token((await settle(client.get_token(user, SCOPES))).token, credential_class)
    await revoke_and_delete(client)
    if hasattr(client, "get_token_for_teams_user"):
        await record("get_token_for_teams_user", client.get_token_for_teams_user, "token", "application", "user")
    secondary, wrong = connect("SECONDARY_CONNECTION_STRING"), connect("WRONG_KEY_CONNECTION_STRING")
    await record("create_user secondary key", secondary.create_user)
    await record("create_user wrong key", wrong.create_user)
    if asynchronous:
        for each in (client, secondary, wrong):
            await each.close()


asyncio.run(main(*sys.argv[1:]))
