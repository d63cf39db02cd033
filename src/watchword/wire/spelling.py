"""The published spelling of a JSON value: which of its names and texts are the contract's, and how it writes them.

    {"PRINCIPALTYPE":"User","tags":{"Team":"chat"}}   ->   {"principalType":"user","tags":{"Team":"chat"}}

Keys that callers choose, such as those of tags, stay as they were sent, and so does every value that is no enumerated
text. Repeated names stay too, in their order, so that of several spellings the last one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import msgspec
from msgspec import inspect


class Spelling(Protocol):
    """What in a value has a published spelling."""

    def publish(self, value: bytes, place: str, ignored: list[str]) -> bytes:
        """The value in the published spelling; one of the wrong type as it is, for decoding to tell.

        Raises:
            msgspec.DecodeError, RecursionError: not JSON.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Object:
    """The names of an object of the contract, by themselves in lower case; `elsewhere`, those of other api-versions."""

    names: Mapping[str, tuple[str, Spelling | None]]
    elsewhere: Mapping[str, str]

    def publish(self, value: bytes, place: str, ignored: list[str]) -> bytes:
        if not value.startswith(b"{"):
            return value
        published = []
        for sent, member in _members(value):
            folded = _folded(sent)
            if folded in self.names:
                name, spelling = self.names[folded]
                published.append(
                    b'"%b":%b' % (name.encode(), publish(spelling, member, f"{place}{name}.", ignored=ignored))
                )
            elif folded in self.elsewhere and (name := place + self.elsewhere[folded]) not in ignored:
                ignored.append(name)
        return b"{%b}" % b",".join(published)


@dataclass(frozen=True, slots=True)
class _Mapping:
    """Values of the contract under keys that the caller chooses, which stay as sent."""

    values: Spelling

    def publish(self, value: bytes, place: str, ignored: list[str]) -> bytes:
        if not value.startswith(b"{"):
            return value
        members = _members(value)
        said = [(msgspec.json.encode(key), self.values.publish(member, place, ignored)) for key, member in members]
        return b"{%b}" % b",".join(b"%b:%b" % each for each in said)


@dataclass(frozen=True, slots=True)
class _Array:
    items: Spelling

    def publish(self, value: bytes, place: str, ignored: list[str]) -> bytes:
        if not value.startswith(b"["):
            return value
        items = msgspec.json.decode(value, type=list[msgspec.Raw])
        return b"[%b]" % b",".join(self.items.publish(bytes(item), place, ignored) for item in items)


@dataclass(frozen=True, slots=True)
class _Enumeration:
    """Texts of the contract, by themselves in lower case."""

    texts: Mapping[str, bytes]

    def publish(self, value: bytes, place: str, ignored: list[str]) -> bytes:
        del place, ignored
        return self.texts.get(_folded(msgspec.json.decode(value)), value) if value.startswith(b'"') else value


def publish(spelling: Spelling | None, value: bytes, place: str, *, ignored: list[str]) -> bytes:
    return value if spelling is None else spelling.publish(value, place, ignored)


def spelling_of(kind: inspect.Type, others: list[inspect.Type]) -> Spelling | None:
    """None where nothing in the value is of the contract."""
    others = [_bare(other) for other in others]
    match _bare(kind):
        case inspect.StructType(fields=fields):
            elsewhere = [field for other in others if isinstance(other, inspect.StructType) for field in other.fields]
            names = {}
            for field in fields:
                alike = [each.type for each in elsewhere if each.encode_name == field.encode_name]
                names[_folded(field.encode_name)] = (field.encode_name, spelling_of(field.type, alike))
            unknown = {_folded(field.encode_name): field.encode_name for field in elsewhere}
            return _Object(names, {folded: name for folded, name in unknown.items() if folded not in names})
        case inspect.DictType(value_type=values):
            spelling = spelling_of(values, [each.value_type for each in others if isinstance(each, inspect.DictType)])
            return spelling and _Mapping(spelling)
        case inspect.ListType(item_type=items):
            spelling = spelling_of(items, [each.item_type for each in others if isinstance(each, inspect.ListType)])
            return spelling and _Array(spelling)
        case inspect.LiteralType(values=texts):
            return _Enumeration({_folded(text): msgspec.json.encode(text) for text in texts if isinstance(text, str)})
    return None


def _bare(kind: inspect.Type) -> inspect.Type:
    """The type without what is said about it, and without null."""
    while True:
        match kind:
            case inspect.Metadata(type=inner):
                kind = inner
            case inspect.UnionType(types=types):
                some = [each for each in types if not isinstance(each, inspect.NoneType)]
                if len(some) > 1:
                    return kind
                [kind] = some
            case _:
                return kind


class _Key:
    """A key that is equal to itself alone, so that a dict keeps every member, and their order."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_OBJECT = msgspec.json.Decoder(dict[_Key, msgspec.Raw], dec_hook=lambda kind, text: kind(text))


def _members(value: bytes) -> list[tuple[str, bytes]]:
    return [(key.text, bytes(member)) for key, member in _OBJECT.decode(value).items()]


def _folded(text: str) -> str:
    # No letter outside ASCII is another case of one within, as in .NET: the Kelvin sign is no k.
    return text.lower() if text.isascii() else text
