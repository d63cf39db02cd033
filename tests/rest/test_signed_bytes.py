"""What is hashed for whoever comes is bounded, and a signature is what a key makes, to the letter."""

import base64

import pytest

from tests.support.signed import NEWEST, SIGNED, Reply, SignedClient
from watchword.rest.authentication import MOST_SIGNED_BYTES

CREATE = f"/identities?api-version={NEWEST}"


def refusal(reply: Reply) -> str:
    assert (reply.status, reply.error["code"]) == (401, "Denied"), reply
    return reply.error["message"].removeprefix("Denied by the resource provider. ")


def test_no_header_is_signed_twice(client: SignedClient) -> None:
    # One of 12,000 bytes that was named 4,000 times made a stranger's request one minute of hashing.
    for again in (*SIGNED, "x-custom"):
        names = (*SIGNED, "x-custom", again)
        reason = refusal(client.call("POST", CREATE, names=names, headers={"x-custom": "a"}))
        assert reason == "The signed headers name one of them twice."


@pytest.mark.parametrize("names", [SIGNED, ("host", "x-custom", "x-ms-date", "x-ms-content-sha256")])
def test_what_is_signed_has_a_cap(client: SignedClient, names: tuple[str, ...]) -> None:
    def signed(size: int) -> Reply:
        # What is neither the target nor a value of the caller's choice: line breaks, separators, date and hash.
        request = client.sign("POST", CREATE, names=names, headers={"x-custom": ""})
        values = [request.headers[name] for name in names if name not in ("host", "x-custom")]
        fixed = len(f"POST\n{CREATE}\n") + len("".join(values)) + len(names) - 1
        padding = "a" * (size - fixed)
        if "x-custom" in names:
            return client.call("POST", CREATE, names=names, headers={"x-custom": padding})
        return client.call("POST", CREATE + "&" + padding[1:], names=names)

    assert signed(MOST_SIGNED_BYTES).status == 201
    reply = signed(MOST_SIGNED_BYTES + 1)
    assert (reply.status, reply.error["code"]) == (431, "RequestTooLarge")
    assert reply.error["message"] == f"The request's signed head is larger than {MOST_SIGNED_BYTES} bytes."


def test_a_signature_has_one_spelling(client: SignedClient) -> None:
    request = client.sign("POST", CREATE)
    head, _, given = request.headers["Authorization"].partition("Signature=")
    # The last character of 43 has two bits to spare.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = given[:42] + letters[letters.index(given[42]) ^ 1] + "="
    assert base64.b64decode(other) == base64.b64decode(given)
    for spelled in (other, given.rstrip("="), given + "=", given + "A", f"A{given}", given.replace("=", "\t=")):
        request.headers["Authorization"] = f"{head}Signature={spelled}"
        assert "The signature is not of any access key" in refusal(client.send(request))
