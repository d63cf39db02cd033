"""The file of an export: whole or not there at all, readable to who has the key, and to nobody else."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.engines import FreshSettings, Place
from tests.support.transfers import CUSTOM_ID, Source, exported, silent
from watchword.errors import OperatorError
from watchword.files import hold
from watchword.keyring.encryption import Encryption, open_encryption
from watchword.transfer.export_file import ExportReader
from watchword.transfer.exports import read_export

LENGTH = 4


def frames(content: bytes) -> list[bytes]:
    """The header with its checksum, then each chunk with its length."""
    magic = content.index(b"\n") + 1
    size = int.from_bytes(content[magic : magic + LENGTH], "big")
    found, at = [content[: magic + LENGTH + size + 4]], magic + LENGTH + size + 4
    while at < len(content):
        size = LENGTH + int.from_bytes(content[at : at + LENGTH], "big")
        found.append(content[at : at + size])
        at += size
    return found


def read(place: Place, file: Path, encryption: Encryption | None = None) -> object:
    with file.open("rb") as opened:
        return read_export(file, opened, encryption or open_encryption(place.settings, place.folder), report=silent)


@pytest.fixture(scope="module")
def fresh_settings() -> FreshSettings:
    """A file is the same from either engine."""
    return FreshSettings(None)


@pytest.fixture
def copy(export_file: Path, tmp_path: Path) -> Callable[[Callable[[list[bytes]], list[bytes]]], Path]:
    """The file with its parts changed."""

    def change(spoil: Callable[[list[bytes]], list[bytes]]) -> Path:
        path = tmp_path / "changed.export"
        path.write_bytes(b"".join(spoil(frames(export_file.read_bytes()))))
        return path

    return change


Copy = Callable[[Callable[[list[bytes]], list[bytes]]], Path]


def flipped(part: bytes, at: int) -> bytes:
    return part[:at] + bytes([part[at] ^ 1]) + part[at + 1 :]


def other_header(head: bytes) -> bytes:
    """Another engine's name, with a checksum that fits."""
    changed = head[:-4].replace(b'"engine":"any"', b'"engine":"all"')
    return changed + zlib.crc32(changed).to_bytes(4, "big")


DAMAGES: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "a bit of the header": (lambda parts: [flipped(parts[0], 60), *parts[1:]], "its header is not as it was written"),
    "a bit of a chunk": (lambda parts: [*parts[:3], flipped(parts[3], 9), *parts[4:]], "chunk 2 is not as it was"),
    "a bit of a length": (lambda parts: [*parts[:3], flipped(parts[3], 0), *parts[4:]], "chunk 2 is not as it was"),
    "two chunks swapped": (lambda parts: [parts[0], parts[2], parts[1], *parts[3:]], "chunk 0 is not as it was"),
    "a chunk left out": (lambda parts: [*parts[:4], *parts[5:]], "chunk 3 is not as it was"),
    "a chunk twice": (lambda parts: [*parts[:4], parts[3], *parts[4:]], "chunk 3 is not as it was"),
    "the last chunk left out": (lambda parts: parts[:-1], "its end is missing"),
    "all but the header left out": (lambda parts: parts[:1], "its end is missing"),
    "cut off within a chunk": (lambda parts: [*parts[:-1], parts[-1][:-5]], "is not as it was written"),
    "cut off within a length": (lambda parts: [*parts[:-1], parts[-1][:3]], "is not as it was written"),
    "something after the end": (lambda parts: [*parts, b"\0\0\0\1x"], "is not as it was written"),
    "nothing": (lambda _: [], "is no export"),
    "another file": (lambda _: [b"SQLite format 3\0"], "is no export."),
    "a later format": (lambda parts: [parts[0].replace(b"export 1\n", b"export 2\n")], "of a format that this program"),
}


@pytest.mark.parametrize(("spoil", "told"), DAMAGES.values(), ids=DAMAGES)
def test_a_file_that_is_not_as_it_was_written_is_refused_in_words(
    source: Source, copy: Copy, spoil: Callable[[list[bytes]], list[bytes]], told: str
) -> None:
    with pytest.raises(OperatorError, match=told):
        read(source.place, copy(spoil))


def test_a_header_with_a_checksum_of_its_own_opens_no_chunk(source: Source, copy: Copy) -> None:
    with pytest.raises(OperatorError, match="chunk 0 is not as it was written"):
        read(source.place, copy(lambda parts: [other_header(parts[0]), *parts[1:]]))


def test_chunks_of_two_exports_of_one_database_do_not_mix(source: Source, export_file: Path, copy: Copy) -> None:
    exported(source.place, other := export_file.with_name("other.export"))
    with pytest.raises(OperatorError, match="chunk 1 is not as it was written"):
        read(source.place, copy(lambda parts: [*parts[:2], frames(other.read_bytes())[2], *parts[3:]]))
    other.unlink()


def test_another_key_opens_nothing_and_the_settings_that_give_one_are_named(source: Source, export_file: Path) -> None:
    with pytest.raises(OperatorError, match=r"under another encryption key.*\n.*WATCHWORD_ENCRYPTION_KEY.*key-file"):
        read(source.place, export_file, Encryption(bytes(32)))


def test_a_file_tells_nobody_what_is_in_it(source: Source, export_file: Path) -> None:
    content = export_file.read_bytes()
    secrets = [*source.keys, source.verifier.encode(), source.operator.encode(), CUSTOM_ID.encode()]
    key = base64.b64decode(source.place.settings.encryption_key)
    for secret in [*secrets, key, source.identity.encode(), source.identity[-36:].encode(), b"watchword-first"]:
        assert secret not in content
        assert base64.b64encode(secret) not in content
    # And in the clear within the chunks, secrets are encrypted as they are in the database.
    encryption = open_encryption(source.place.settings, source.place.folder)
    opened = b"".join(_opened_chunks(export_file, encryption))
    assert CUSTOM_ID.encode() in opened
    assert not [secret for secret in (*source.keys, key) if secret in opened]


def _opened_chunks(path: Path, encryption: Encryption) -> list[bytes]:
    with path.open("rb") as file:
        return [zlib.decompress(packed) for _, packed in ExportReader(path, file, encryption)._opened(0)]


def test_only_its_owner_may_read_it_and_no_part_is_left(source: Source, tmp_path: Path) -> None:
    exported(source.place, tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_what_is_there_is_never_written_over_and_only_one_writes_a_name(source: Source, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("precious")
    with pytest.raises(OperatorError, match="is there already"):
        exported(source.place, file)
    assert file.read_text() == "precious"
    file.unlink()
    held = hold(tmp_path / "file.part")
    assert held is not None
    with held, pytest.raises(OperatorError, match="another process is writing"):
        exported(source.place, file)
    # What a dead process left is no obstacle.
    (tmp_path / "file.part").write_bytes(bytes(1_000_000))
    exported(source.place, file)
    assert read(source.place, file)


def test_a_folder_that_is_not_there_is_told_in_words(source: Source, tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be written: No such file"):
        exported(source.place, tmp_path / "missing" / "file")


def test_a_database_under_another_key_is_not_exported(source: Source, tmp_path: Path) -> None:
    wrong = replace(source.place.settings, encryption_key=base64.b64encode(bytes(32)).decode())
    with pytest.raises(OperatorError, match="The encryption key does not fit the database"):
        exported(Place(wrong, source.place.folder), tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_no_server_ran_on_is_not_exported(target: Place, tmp_path: Path) -> None:
    target.folder.mkdir()
    with pytest.raises(OperatorError, match="nothing to export"):
        exported(target, tmp_path / "file")
