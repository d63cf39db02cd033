"""The official Python client on a network where somebody changes requests after they were signed.

Prints what it saw of each change, a line of JSON. The change happens below the client, which stays as it is.
"""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

import requests
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

Change = Callable[[requests.PreparedRequest], None]


class Tampering(HTTPAdapter):
    """Changes every request on its way out."""

    def __init__(self, change: Change) -> None:
        super().__init__()
        self.change = change

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        self.change(request)
        return super().send(request, *arguments, **options)


def connect(change: Change) -> CommunicationIdentityClient:
    session = requests.Session()
    session.mount("https://", Tampering(change))
    return CommunicationIdentityClient.from_connection_string(
        os.environ["COMMUNICATION_SERVICES_CONNECTION_STRING"],
        transport=RequestsTransport(session=session, session_owner=False),
        retry_total=0,
    )


def leave(request: requests.PreparedRequest) -> None:
    """The same session and adapter, and no change."""


def widen_scopes(request: requests.PreparedRequest) -> None:
    # Of the same length, so that nothing but the signature can tell.
    assert isinstance(request.body, str)
    request.body = request.body.replace('"chat"', '"voip"')


def widen_scopes_and_hash(request: requests.PreparedRequest) -> None:
    widen_scopes(request)
    assert isinstance(request.body, str)
    digest = hashlib.sha256(request.body.encode()).digest()
    request.headers["x-ms-content-sha256"] = base64.b64encode(digest).decode()


def replace_in_url(old: str, new: str) -> Change:
    def change(request: requests.PreparedRequest) -> None:
        assert request.url is not None
        assert old in request.url
        request.url = request.url.replace(old, new)

    return change


def change_date(request: requests.PreparedRequest) -> None:
    date = request.headers["x-ms-date"]
    assert isinstance(date, str)
    second = "00" if date[23:25] != "00" else "01"
    request.headers["x-ms-date"] = date[:23] + second + date[25:]


def main() -> None:
    honest = connect(leave)
    try:
        user, other = honest.create_user(), honest.create_user()
    except HttpResponseError as error:
        report("nothing", error)
        return
    ids = [each.properties["id"].rpartition("_")[2] for each in (user, other)]
    changes = {
        "nothing": leave,
        "body": widen_scopes,
        "body and hash": widen_scopes_and_hash,
        "path": replace_in_url(*ids),
        "query": replace_in_url("2023-10-01", "2022-10-01"),
        "date": change_date,
    }
    for step, change in changes.items():
        try:
            connect(change).get_token(user, ["chat"])
        except HttpResponseError as error:
            report(step, error)
        else:
            print(json.dumps({"step": step}))


def report(step: str, error: HttpResponseError) -> None:
    detail: Any = error.error
    seen = {"error": type(error).__name__, "status": error.status_code, "code": detail.code, "message": detail.message}
    print(json.dumps({"step": step, **seen}))


main()
