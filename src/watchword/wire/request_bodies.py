"""How the JSON body of a request is read: strictly first, then in any case of letters.

The published spelling is all that official clients send, and reading it costs one strict decoding. A body that does not
fit is put into the published spelling, and decoded once more:

    {"CreateTokenWithScopes":["chat"],"createtokenwithscopes":["voip"],"hint":1}
    {"createTokenWithScopes":["chat"],"createTokenWithScopes":["voip"]}

Assumed: the original reads a body as stock ASP.NET Core does: names and enumerated texts of the contract in any case of
letters, of several spellings the last one, after a byte order mark too, and without the members that nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import msgspec
from msgspec import inspect

from watchword.errors import MalformedBody
from watchword.wire.operations import Operation
from watchword.wire.spelling import Spelling, publish, spelling_of


class RequestBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a request says in its body, or in an object within: the fields of a subclass, by their published names.

    Decoding refuses any other name, which is how a `Reader` learns that there is one.
    """


class Reader:
    """Reads bodies of one shape.

    `others` are the shapes that bodies of the same operation have in other api-versions.
    """

    def __init__(self, shape: Any, others: Iterable[Any] = ()) -> None:
        self._shape = shape
        self._others = tuple(others)
        self._decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(shape)

    def read(self, body: bytes, ignored: list[str] | None = None) -> Any:
        """What the body says; `ignored` is given the names of members that only other api-versions know.

        Raises:
            MalformedBody: not JSON, or a field of the wrong type.
        """
        try:
            # As text, so that a string is UTF-8 even where nobody reads it (RFC 8259, section 8.1).
            return self._decoder.decode(body.decode("utf-8"))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self._read_in_any_case(body, [] if ignored is None else ignored)

    def _read_in_any_case(self, body: bytes, ignored: list[str]) -> Any:
        try:
            text = body.decode("utf-8-sig").strip(" \t\r\n").encode()
            return self._decoder.decode(publish(self._spelling, text, "", ignored=ignored))
        except msgspec.ValidationError as error:
            reason, _, path = str(error).partition(" - at `$")
            # A path such as `.scopes[...]` becomes the field's name alone.
            raise MalformedBody(reason, path.strip("`.").partition("[")[0]) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise MalformedBody(str(error)) from None
        except RecursionError:
            raise MalformedBody("JSON is nested too deeply") from None

    @cached_property
    def _spelling(self) -> Spelling | None:
        # Most processes never need it.
        return spelling_of(inspect.type_info(self._shape), [inspect.type_info(other) for other in self._others])


def readers(*operations: Operation) -> Mapping[str, Reader]:
    """What reads the body by api-version, for one operation or for those that are one under several names."""
    shapes = {
        version: body.shape
        for operation in operations
        for body in operation.takes
        for version in body.versions or operation.versions or ()
    }
    return {version: Reader(shape, shapes.values()) for version, shape in shapes.items()}
