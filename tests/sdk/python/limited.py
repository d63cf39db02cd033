"""What a user of the official Python client does where requests are limited: nothing about it.

    python limited.py sync|aio

Creates two identities one after the other and prints their ids, each on a line.
"""

import asyncio
import importlib
import inspect
import os
import sys


async def main(kind: str) -> None:
    package = "azure.communication.identity" + (".aio" if kind == "aio" else "")
    client_class = importlib.import_module(package).CommunicationIdentityClient
    client = client_class.from_connection_string(os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"])
    for _ in range(2):
        answer = client.create_user()
        user = await answer if inspect.isawaitable(answer) else answer
        print(user.properties["id"])
    if kind == "aio":
        await client.close()


asyncio.run(main(*sys.argv[1:]))
