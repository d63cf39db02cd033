"""The official Python client with the credentials of azure-identity, and its exchange for a user of Teams."""

import json
import os

from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import HttpResponseError
from azure.identity import DefaultAzureCredential, EnvironmentCredential, ManagedIdentityCredential

ENDPOINT = os.environ["COMMUNICATION_SERVICES_ENDPOINT"]
CONNECTION_STRING = os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"]
TOKEN, EXPIRED, APPLICATION, USER = (os.environ[name] for name in ("TEAMS_TOKEN", "EXPIRED_TOKEN", "APP", "USER_ID"))


def show(**seen: object) -> None:
    print(json.dumps(seen))


def credential_of_the_tenant() -> EnvironmentCredential:
    os.environ["AZURE_TENANT_ID"] = os.environ["TENANT"]
    return EnvironmentCredential(disable_instance_discovery=True)


def round_trips() -> None:
    for make in (
        ManagedIdentityCredential,
        EnvironmentCredential,
        DefaultAzureCredential,
        credential_of_the_tenant,
    ):
        with make() as credential:
            client = CommunicationIdentityClient(ENDPOINT, credential)
            user, token = client.create_user_and_token(["chat"])
            again = client.get_token(user, ["voip"])
            client.revoke_tokens(user)
            client.delete_user(user)
            show(step=make.__name__, id=user.properties["id"], token=token.token and again.token)


def teams_users() -> None:
    client = CommunicationIdentityClient.from_connection_string(CONNECTION_STRING)
    for step, arguments in {
        "exchange": (TOKEN, APPLICATION, USER),
        "bad token": ("invalid", "", ""),
        "expired": (EXPIRED, APPLICATION, USER),
        "no application": (TOKEN, "", USER),
        "malformed application": (TOKEN, "invalid", USER),
        "other application": (TOKEN, USER, USER),
        "no user": (TOKEN, APPLICATION, ""),
        "malformed user": (TOKEN, APPLICATION, "invalid"),
        "other user": (TOKEN, APPLICATION, APPLICATION),
    }.items():
        try:
            show(step=step, token=client.get_token_for_teams_user(*arguments).token)
        except HttpResponseError as error:
            told = error.error.message if error.error else None
            show(step=step, error=type(error).__name__, status=error.status_code, message=told)


round_trips()
teams_users()
