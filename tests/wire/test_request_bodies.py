"""Bodies of requests in any case of letters: every name of the contract, every enumerated text, and nothing else."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from tests.support.operations import all_operations
from watchword.errors import MalformedBody, MissingField
from watchword.wire import exchanges, management, versions
from watchword.wire import management_bodies as managed
from watchword.wire.exchanges import read_changes, read_entra_assignment, read_extension_assignment, read_teams_user
from watchword.wire.identity import read_create, read_issue, read_update
from watchword.wire.operations import FORM
from watchword.wire.request_bodies import Reader, RequestBody

NEWEST = versions.V2023_10_01
PREVIEW = versions.V2025_03_02_PREVIEW
GUID = "11111111-1111-4111-8111-111111111111"
SHAPES = [body.shape for operation in all_operations() for body in operation.takes if body.media_type != FORM]
OTHER_CASES: list[Callable[[str], str]] = [
    str.upper,
    str.lower,
    str.title,
    str.swapcase,
    lambda text: text[:1].upper() + text[1:],
]
LEAVES: dict[type, Any] = {
    inspect.StrType: "As-Sent",
    inspect.IntType: 60,
    inspect.BoolType: True,
    inspect.DateTimeType: "2020-09-09T21:39:39Z",
}
USERS_OWN = {"Team": "Chat", "team": "CHAT", "LOCATION": "x", "Properties": "y"}


def sample(kind: inspect.Type) -> Any:
    """A value of the type that says something in every field."""
    match kind:
        case inspect.Metadata(type=inner):
            return sample(inner)
        case inspect.UnionType(types=types):
            return sample(next(each for each in types if not isinstance(each, inspect.NoneType)))
        case inspect.StructType(fields=fields):
            return {field.encode_name: sample(field.type) for field in fields}
        case inspect.DictType(value_type=inspect.StrType()):
            return USERS_OWN
        case inspect.DictType(value_type=inner):
            return {GUID: sample(inner)}
        case inspect.ListType(item_type=inner):
            return [sample(inner)]
        case inspect.LiteralType(values=values):
            return min(map(str, values))
    return LEAVES[type(kind)]


def respelled(value: Any, kind: inspect.Type, spell: Callable[[str], str]) -> Any:
    """The value with the contract's own names and texts spelled otherwise."""
    match kind:
        case inspect.Metadata(type=inner):
            return respelled(value, inner, spell)
        case inspect.UnionType(types=types):
            return respelled(value, next(each for each in types if not isinstance(each, inspect.NoneType)), spell)
        case inspect.StructType(fields=fields):
            types_of = {field.encode_name: field.type for field in fields}
            return {spell(name): respelled(part, types_of[name], spell) for name, part in value.items()}
        case inspect.DictType(value_type=inner):
            return {name: respelled(part, inner, spell) for name, part in value.items()}
        case inspect.ListType(item_type=inner):
            return [respelled(part, inner, spell) for part in value]
        case inspect.LiteralType():
            return spell(value)
    return value


@pytest.mark.parametrize("spell", OTHER_CASES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_name_of_every_body_is_read_in_any_case(shape: Any, spell: Callable[[str], str]) -> None:
    kind = inspect.type_info(shape)
    usual = sample(kind)
    reader = Reader(shape)
    expected = msgspec.json.decode(json.dumps(usual), type=shape)
    assert reader.read(json.dumps(usual).encode()) == expected
    assert "_spelling" not in vars(reader), "the usual spelling was not read at once"
    assert reader.read(json.dumps(respelled(usual, kind, spell)).encode()) == expected


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_body_refuses_unknown_names_at_first_so_that_other_spellings_show(shape: Any) -> None:
    known = msgspec.json.decode(json.dumps(sample(inspect.type_info(shape))), type=shape)
    for each in known.values() if isinstance(known, dict) else [known]:
        assert isinstance(each, RequestBody)


@given(data=st.data(), shape=st.sampled_from(SHAPES))
def test_any_mixture_of_cases_reads_alike(data: st.DataObject, shape: Any) -> None:
    def spell(text: str) -> str:
        high = data.draw(st.lists(st.booleans(), min_size=len(text), max_size=len(text)))
        return "".join(letter.upper() if up else letter.lower() for letter, up in zip(text, high, strict=True))

    kind = inspect.type_info(shape)
    usual = sample(kind)
    other = json.dumps(respelled(usual, kind, spell)).encode()
    assert Reader(shape).read(other) == Reader(shape).read(json.dumps(usual).encode())


NAMES = sorted(
    {name for shape in SHAPES for name in re.findall(r'"(\w+)":', json.dumps(sample(inspect.type_info(shape))))}
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(["User", "user"])
KEYS = st.sampled_from([spell(name) for name in NAMES for spell in (str, str.upper, str.title)]) | st.text(max_size=3)
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4))


@given(
    body=st.binary(max_size=64)
    | st.dictionaries(KEYS, JSON).map(lambda value: json.dumps(value).encode("utf-8", "replace")),
    shape=st.sampled_from(SHAPES),
)
def test_whatever_is_sent_is_read_or_refused_with_an_error_of_ours(body: bytes, shape: Any) -> None:
    with contextlib.suppress(MalformedBody):
        assert isinstance(Reader(shape, SHAPES).read(body), dict | RequestBody)


def test_capitals_as_c_sharp_writes_them_are_read() -> None:
    asked = b'{"CreateTokenWithScopes":["chat"],"ExpiresInMinutes":60,"CustomId":"bob"}'
    found = read_create(asked, PREVIEW)
    assert (found.createTokenWithScopes, found.expiresInMinutes, found.customId) == (["chat"], 60, "bob")
    assert read_issue(b'{"Scopes":["chat"],"EXPIRESINMINUTES":61}', NEWEST) == (["chat"], 61)
    assert read_update(b'{"TokensValidFrom":"2020-09-09T21:39:39Z"}') is not None
    text, whom = read_teams_user(b'{"Token":"t","AppId":"a","UserId":"u"}', NEWEST, [])
    assert (text, whom) == ("t", exchanges.TeamsUserRequest("t", "a", "u"))


@pytest.mark.parametrize(
    ("body", "scopes"),
    [
        (b'{"scopes":["chat"],"Scopes":["voip"]}', ["voip"]),
        (b'{"Scopes":["voip"],"scopes":["chat"]}', ["chat"]),
        (b'{"scopes":["a"],"Scopes":["b"],"scopes":["c"]}', ["c"]),
        (b'{"SCOPES":["a"],"scopes":["b"],"SCOPES":["c"]}', ["c"]),
        (b'{"Scopes":["a"],"\\u0053copes":["b"]}', ["b"]),
        (b'{"scopes":["chat"],"Scopes":[]}', []),
    ],
)
def test_of_two_spellings_the_last_one_counts(body: bytes, scopes: list[str]) -> None:
    assert read_issue(body, NEWEST) == (scopes, None)


def test_a_null_in_the_last_spelling_counts_too() -> None:
    with pytest.raises(MissingField):
        read_issue(b'{"scopes":["chat"],"Scopes":null}', NEWEST)


@pytest.mark.parametrize("body", [b'{"scopes":["chat"],"Scopes":5}', b'{"Scopes":5,"scopes":["chat"]}'])
def test_a_wrong_type_is_refused_in_whatever_spelling_it_comes(body: bytes) -> None:
    with pytest.raises(MalformedBody) as raised:
        read_issue(body, NEWEST)
    assert (raised.value.field, raised.value.reason) == ("scopes", "Expected `array | null`, got `int`")


def test_letters_that_only_look_alike_name_nothing() -> None:
    for name in ("\u017fcopes", "scope\u017f", "scopes\u200b", " scopes", "scopes\\u0000"):
        with pytest.raises(MissingField):
            read_issue(f'{{"{name}":["chat"]}}'.encode(), NEWEST)
    # The Kelvin sign is no k, though Python's lower case of it is one.
    assert read_teams_user('{"to\u212aen":"t"}'.encode(), NEWEST, [])[0] == ""


@pytest.mark.parametrize("body", [b'{"scopes":["chat"]}', b' {"Scopes":["chat"]} ', b'{"scopes":["chat"],"x":1}'])
def test_a_byte_order_mark_may_stand_before_the_body(body: bytes) -> None:
    assert read_issue(b"\xef\xbb\xbf" + body, NEWEST) == (["chat"], None)


@pytest.mark.parametrize(
    "body",
    [b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf{}", b" \xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"{}\xef\xbb\xbf"],
)
def test_any_other_mark_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        read_create(body, NEWEST)


def test_keys_that_callers_choose_stay_as_they_were_sent() -> None:
    tags = b'{"LOCATION":"westeurope","Tags":{"Team":"a","team":"b","TAGS":"c","Location":"d"}}'
    found = management.read(tags, managed.GroupRequest, [])
    assert (found.location, found.tags) == ("westeurope", {"Team": "a", "team": "b", "TAGS": "c", "Location": "d"})
    changes = f'{{"NOBODY":null,"{GUID}":{{"TenantId":"t","PrincipalType":"GROUP","ClientIds":["A"]}}}}'
    assert read_changes(changes.encode()) == {
        "NOBODY": None,
        GUID: exchanges.EntraAssignmentRequest("t", "group", ["A"]),
    }


def test_objects_within_are_read_in_any_case_and_null_is_null() -> None:
    body = b'{"Location":"global","Properties":{"DataLocation":"Europe","hint":{"DataLocation":"x"}},"identity":null}'
    found = management.read(body, managed.ResourceRequest, [])
    assert found.properties == managed.PropertiesRequest("Europe")
    assert found.identity is None
    with pytest.raises(MalformedBody) as raised:
        management.read(b'{"Location":"global","PROPERTIES":{"DATALOCATION":5}}', managed.ResourceRequest, [])
    assert raised.value.field == "properties.dataLocation"


@pytest.mark.parametrize("text", ["user", "User", "USER", "\\u0055ser"])
def test_a_principal_type_is_read_in_any_case_and_kept_in_the_published_one(text: str) -> None:
    assert read_extension_assignment(f'{{"principalType":"{text}"}}'.encode()).principalType == "user"
    entra = f'{{"tenantId":"t","principalType":"{text}","clientIds":["User"]}}'
    assert read_entra_assignment(entra.encode()) == exchanges.EntraAssignmentRequest("t", "user", ["User"])
    assert read_extension_assignment(b'{"PrincipalType":"RESOURCEACCOUNT"}').principalType == "resourceAccount"


@pytest.mark.parametrize("value", ['"robot"', '"u\u017fer"', '""', "5", "null", '["user"]'])
def test_another_principal_type_is_refused(value: str) -> None:
    with pytest.raises(MalformedBody) as raised:
        read_extension_assignment(f'{{"PrincipalType":{value}}}'.encode())
    assert raised.value.field == "principalType"


@pytest.mark.parametrize(
    ("read", "version", "body", "ignored"),
    [
        (read_create, NEWEST, b'{"customId":"bob"}', ["customId"]),
        (read_create, versions.V2026_09_23, b'{"customId":"bob","CUSTOMID":"eve"}', ["customId"]),
        (
            read_create,
            versions.V2021_03_07,
            b'{"CustomID":"bob","expiresinminutes":5}',
            ["customId", "expiresInMinutes"],
        ),
        (read_create, versions.V2020_07_20_PREVIEW2, b'{"createTokenWithScopes":["chat"]}', ["createTokenWithScopes"]),
        (read_create, PREVIEW, b'{"CustomId":"bob","mine":1,"scopes":[]}', []),
        (read_issue, versions.V2022_06_01, b'{"scopes":["chat"],"expiresInMinutes":60}', ["expiresInMinutes"]),
        (read_issue, versions.V2020_07_20_PREVIEW2, b'{"scopes":["chat"],"ExpiresInMinutes":1}', ["expiresInMinutes"]),
        (read_issue, NEWEST, b'{"scopes":["chat"],"customId":"bob"}', []),
        (read_teams_user, versions.V2021_10_31_PREVIEW, b'{"token":"t","appId":"a","userId":"u"}', ["appId", "userId"]),
    ],
)
def test_a_member_that_only_another_api_version_knows_is_named(
    read: Callable[[bytes, str, list[str]], object], version: str, body: bytes, ignored: list[str]
) -> None:
    found: list[str] = []
    read(body, version, found)
    assert found == ignored


def test_a_member_within_an_object_is_named_with_its_place() -> None:
    found: list[str] = []
    body = b'{"location":"global","Properties":{"disableLocalAuth":true,"PublicNetworkAccess":"x","other":1}}'
    assert management.read(body, managed.ResourceRequest, found).properties == managed.PropertiesRequest()
    assert found == ["properties.disableLocalAuth", "properties.publicNetworkAccess"]


def test_names_in_a_body_that_is_refused_are_told_as_well() -> None:
    found: list[str] = []
    with pytest.raises(MalformedBody):
        read_create(b'{"customId":"bob","createTokenWithScopes":5}', NEWEST, found)
    assert found == ["customId"]


class _Person(RequestBody, frozen=True):
    role: Literal["guest", "host"]


class _Room(RequestBody, frozen=True):
    people: list[_Person]


def test_objects_in_lists_are_read_in_any_case_too() -> None:
    assert Reader(_Room).read(b'{"People":[{"Role":"HOST"},{"role":"guest","x":0}]}') == _Room(
        [_Person("host"), _Person("guest")]
    )
    with pytest.raises(MalformedBody) as raised:
        Reader(_Room).read(b'{"PEOPLE":{"role":"guest"}}')
    assert raised.value.field == "people"


def test_a_large_body_of_many_spellings_is_read_once_for_each_and_no_more() -> None:
    body = b'{"Scopes":["chat"],' + b'"SCOPES":["voip"],' * 3_500 + b'"hint":' + b"[" * 400 + b"]" * 400 + b"}"
    assert len(body) < 65_536
    assert read_issue(body, NEWEST) == (["voip"], None)
