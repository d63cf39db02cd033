"""Which operations live at which path, and which of them an api-version means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from watchword.errors import MethodNotAllowed, MissingApiVersion, UnsupportedApiVersion
from watchword.http.request_reader import MAXIMUM_BODY_BYTES
from watchword.rest.call import AnyBinding
from watchword.rest.doors import Words
from watchword.wire import versions
from watchword.wire.errors import describe as describe_common


@dataclass(slots=True)
class Method:
    """The operations of one method at one path: published ones by api-version, or one for all others."""

    by_version: dict[str, AnyBinding] = field(default_factory=dict)
    own: AnyBinding | None = None

    def served(self) -> tuple[str, ...]:
        return tuple(sorted(self.by_version))

    def bindings(self) -> Iterator[AnyBinding]:
        yield from self.by_version.values()
        if self.own is not None:
            yield self.own


@dataclass(slots=True)
class Path:
    """Everything that answers at one path.

    `supported_versions` is the value of `api-supported-versions`: every version that the path's first segment answers
    to, as the original lists versions by controller, or what its operation says. Observed: identity.md section 3.1,
    chat.md section 2.1. It is empty for our own paths. `describe` has the words of the contract that the path is of.
    """

    template: str
    methods: dict[str, Method] = field(default_factory=dict)
    supported_versions: str = ""
    is_for_browsers: bool = False
    is_for_any_page: bool = False
    is_in_any_case: bool = True
    describe: Words = describe_common

    def largest_body_bytes(self, method: str) -> int:
        """The largest body of whatever answers to the method in some api-version."""
        found = self.methods.get(method, Method())
        return max((binding.largest_body_bytes for binding in found.bindings()), default=MAXIMUM_BODY_BYTES)

    def choose(self, method: str, version: str | None, origin: str) -> AnyBinding:
        """The operation that a method means here in an api-version.

        HEAD asks what GET would be answered, without the body (RFC 9110, section 9.3.2).

        Raises:
            MethodNotAllowed: nothing at this path answers to the method.
            MissingApiVersion, UnsupportedApiVersion: only with an api-version is it clear what is meant.
        """
        found = self.methods.get(method)
        if found is None:
            found = self.methods.get("GET")
            if found is None or method != "HEAD":
                raise MethodNotAllowed(method, self._served())
        binding = found.by_version.get(version or "", found.own)
        if binding is not None:
            return binding
        if not version:
            raise MissingApiVersion(found.served())
        # The template: what somebody typed into the path would reach the log with the sentence of a refusal.
        raise UnsupportedApiVersion(f"{origin}{self.template}", version, found.served())

    def _served(self) -> tuple[str, ...]:
        return tuple(sorted({*self.methods, "HEAD"} if "GET" in self.methods else self.methods))


@dataclass(slots=True)
class _Segment:
    """What may follow one segment of a path: a word of ours, or else whatever a part is called for.

    `words` are as we spell them, `folded` the same in lower case.
    """

    path: Path | None = None
    words: dict[str, _Segment] = field(default_factory=dict)
    folded: dict[str, _Segment] = field(default_factory=dict)
    part: tuple[str, _Segment] | None = None


class Routes:
    """Finds the path that a request is for, a segment at a time; a word of ours goes before a part."""

    def __init__(self, all_paths: Iterable[Path]) -> None:
        self._root = _Segment()
        self._words: dict[str, Words] = {}
        for path in all_paths:
            self._add(path)
            self._words[_controller(path).lower()] = path.describe

    def find(self, sent: str) -> tuple[Path, dict[str, str]] | None:
        """The path, and what stands in it for the parts, decoded.

        Segments are parted before they are decoded: an escaped slash is part of one (RFC 3986, section 2.2). One slash
        at the end says nothing. Our words are found in any case of letters, unless the path's operations say otherwise;
        the usual one is looked up first. Assumed: the original finds every path so, as stock ASP.NET Core does.
        """
        if not sent.startswith("/"):
            return None
        segment, parts, is_as_spelled = self._root, {}, True
        for text in sent[1:].removesuffix("/").split("/"):
            found = segment.words.get(text)
            if found is None:
                decoded = _decode(text) if "%" in text else text
                # No letter outside ASCII is another case of one within: the Kelvin sign is no k.
                if segment.folded and decoded.isascii():
                    found = segment.folded.get(decoded.lower())
                    is_as_spelled = is_as_spelled and (found is None or decoded in segment.words)
                if found is None:
                    if segment.part is None:
                        return None
                    name, found = segment.part
                    parts[name] = decoded
            segment = found
        path = segment.path
        return (path, parts) if path is not None and (is_as_spelled or path.is_in_any_case) else None

    def words(self, sent: str) -> Words:
        """The words of the contract that has the first segment of a path that leads nowhere, or the common ones."""
        return self._words.get(sent[1:].partition("/")[0].lower(), describe_common)

    def _add(self, path: Path) -> None:
        segment = self._root
        for text in path.template[1:].split("/"):
            if not text.startswith("{"):
                followed = segment.words.setdefault(text, _Segment())
                segment.folded[text.lower()] = followed
                segment = followed
            else:
                segment.part = segment.part or (text[1:-1], _Segment())
                segment = segment.part[1]
        segment.path = path


def _decode(text: str) -> str:
    # What identifiers have, `8%3Aacs%3A...` and `19%3A...%40thread.v2`, is most often all that there is to decode.
    plain = text.replace("%3A", ":").replace("%40", "@")
    return unquote(plain) if "%" in plain else plain


def paths(bindings: Iterable[AnyBinding]) -> list[Path]:
    """The bindings ordered by path."""
    found: dict[str, Path] = {}
    for binding in bindings:
        operation = binding.operation
        path = found.setdefault(operation.path, Path(operation.path))
        method = path.methods.setdefault(operation.method, Method())
        if operation.versions in (None, versions.ANY):
            method.own = binding
        elif operation.versions is not None:
            method.by_version.update(dict.fromkeys(operation.versions, binding))
        path.is_in_any_case = path.is_in_any_case and operation.is_path_in_any_case
        path.is_for_browsers = path.is_for_browsers or operation.is_for_browsers
        path.is_for_any_page = path.is_for_any_page or operation.is_for_any_page
        path.supported_versions = ", ".join(operation.listed_versions or ())
        path.describe = binding.door.describe
    for path in found.values():
        if not path.supported_versions:
            path.supported_versions = ", ".join(_versions_of(_controller(path), found.values()))
    return list(found.values())


def _controller(path: Path) -> str:
    return path.template.split("/")[1]


def _versions_of(controller: str, all_paths: Iterable[Path]) -> list[str]:
    siblings = [path for path in all_paths if _controller(path) == controller]
    known = {version for path in siblings for method in path.methods.values() for version in method.by_version}
    return sorted(known)
