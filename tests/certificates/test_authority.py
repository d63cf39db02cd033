"""The local CA: what it may sign for, that it lasts, and that exactly one comes of many starts."""

import concurrent.futures
import multiprocessing
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from watchword.certificates import Outcome, ensure_leaf, prepare_authority
from watchword.errors import OperatorError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = datetime.now(UTC)
SUFFIX = "acs.example.internal"
FILES = {"ca.pem", "intermediate.pem", "intermediate-key.pem"}


def files(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith(".")}


def test_authority_survives_restarts(tmp_path: Path) -> None:
    first, created = prepare_authority(tmp_path, NOW)
    second, kept = prepare_authority(tmp_path, NOW + timedelta(days=3000))
    assert (created, kept) == (Outcome.CREATED, Outcome.KEPT)
    assert first.certificate == second.certificate
    assert first.intermediate == second.intermediate
    assert files(tmp_path) == FILES


def test_authority_may_sign_for_loopback_names_and_the_suffix_only(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path, NOW, "." + SUFFIX)
    assert authority.permitted == ("localhost", "127.0.0.0/8", "::1/128", SUFFIX)
    for certificate, path_length in ((authority.certificate, 1), (authority.intermediate, 0)):
        extensions = certificate.extensions
        constraints = extensions.get_extension_for_class(x509.NameConstraints)
        basic = extensions.get_extension_for_class(x509.BasicConstraints)
        usage = extensions.get_extension_for_class(x509.KeyUsage)
        extended = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert constraints.critical
        assert basic.critical
        assert usage.critical
        assert tuple(str(each.value) for each in constraints.value.permitted_subtrees or ()) == authority.permitted
        assert (basic.value.ca, basic.value.path_length) == (True, path_length)
        assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
        assert list(extended.value) == [ExtendedKeyUsageOID.SERVER_AUTH]
        assert certificate.not_valid_after_utc - NOW > timedelta(days=3650)
    authority.certificate.verify_directly_issued_by(authority.certificate)
    authority.intermediate.verify_directly_issued_by(authority.certificate)


def test_key_of_the_root_is_kept_nowhere(tmp_path: Path) -> None:
    first, _ = prepare_authority(tmp_path / "ca", NOW)
    authority, _ = prepare_authority(tmp_path / "ca", NOW, SUFFIX)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=NOW)
    contents = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    keys = {path: load_pem_private_key(each, None) for path, each in contents.items() if b"PRIVATE KEY" in each}
    serial = f"{first.certificate.serial_number:x}"[:12]
    set_aside = authority.folder / f"intermediate-key-{serial}.pem"
    assert set(keys) == {authority.key_path, set_aside, leaf.key_path}
    roots = [first.certificate.public_key(), authority.certificate.public_key()]
    assert all(key.public_key() not in roots for key in keys.values())
    assert authority.key.public_key() == keys[authority.key_path].public_key() == authority.intermediate.public_key()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=NOW)
    assert stat.S_IMODE(authority.key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(leaf.key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    prepare_authority(tmp_path / "ca", NOW, SUFFIX)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in authority.folder.glob("intermediate-key*")}
    assert modes == {0o600}


def test_authority_is_replaced_when_it_does_not_cover_the_suffix(tmp_path: Path) -> None:
    first, _ = prepare_authority(tmp_path, NOW)
    second, outcome = prepare_authority(tmp_path, NOW, SUFFIX)
    assert outcome is Outcome.REPLACED
    assert first.certificate.subject != second.certificate.subject
    assert first.key.public_key() != second.key.public_key()
    serial = f"{first.certificate.serial_number:x}"[:12]
    aside = [f"ca-{serial}.pem", f"intermediate-{serial}.pem", f"intermediate-key-{serial}.pem"]
    assert files(tmp_path) == {*FILES, *aside}
    # Put back, what was set aside is the old authority again, whole.
    for old, name in zip(aside, ("ca.pem", "intermediate.pem", "intermediate-key.pem"), strict=True):
        (tmp_path / old).rename(tmp_path / name)
    assert prepare_authority(tmp_path, NOW)[0].certificate == first.certificate


@pytest.mark.parametrize("suffix", [None, "", SUFFIX, "." + SUFFIX, "eu." + SUFFIX, SUFFIX.upper()])
def test_authority_is_kept_when_it_covers_the_suffix(tmp_path: Path, suffix: str | None) -> None:
    prepare_authority(tmp_path, NOW, SUFFIX)
    assert prepare_authority(tmp_path, NOW, suffix)[1] is Outcome.KEPT


def test_authority_is_replaced_shortly_before_it_expires(tmp_path: Path) -> None:
    first, _ = prepare_authority(tmp_path, NOW)
    _, outcome = prepare_authority(tmp_path, first.expires - timedelta(days=29))
    assert outcome is Outcome.REPLACED


@pytest.mark.parametrize("written", [["intermediate-key.pem"], ["intermediate-key.pem", "intermediate.pem"]])
def test_crash_before_the_root_is_written_is_healed_by_the_next_start(tmp_path: Path, written: list[str]) -> None:
    first, _ = prepare_authority(tmp_path, NOW)
    for name in FILES - set(written):
        (tmp_path / name).unlink()
    second, outcome = prepare_authority(tmp_path, NOW)
    assert outcome is Outcome.CREATED
    assert second.certificate != first.certificate
    third, outcome = prepare_authority(tmp_path, NOW)
    assert (third.certificate, outcome) == (second.certificate, Outcome.KEPT)


@pytest.mark.parametrize("name", ["intermediate.pem", "intermediate-key.pem"])
@pytest.mark.parametrize("damage", ["missing", "garbled", "foreign"])
def test_authority_that_is_not_whole_is_reported_and_not_replaced_in_silence(
    tmp_path: Path, name: str, damage: str
) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW)
    damaged = tmp_path / "ca" / name
    if damage == "missing":
        damaged.unlink()
    elif damage == "garbled":
        damaged.write_text("garbled")
    else:
        prepare_authority(tmp_path / "other", NOW)
        damaged.write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(OperatorError, match="cannot be used") as raised:
        prepare_authority(tmp_path / "ca", NOW)
    assert damage == "garbled" or name in raised.value.message
    assert "remove ca.pem" in raised.value.remedy
    authority.certificate_path.unlink()
    assert prepare_authority(tmp_path / "ca", NOW)[1] is Outcome.CREATED


def test_authority_whose_root_is_garbled_is_reported(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path, NOW)
    authority.certificate_path.write_text("garbled")
    with pytest.raises(OperatorError, match="cannot be used"):
        prepare_authority(tmp_path, NOW)


@pytest.mark.parametrize(
    "suffix", [".", "..", "*.example.com", "exa mple.com", "-a.example", "10.0.0.1/8", "bücher.de"]
)
def test_suffix_that_is_no_dns_name_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(OperatorError, match="is not a DNS name"):
        prepare_authority(tmp_path, NOW, suffix)
    assert not (tmp_path / "ca.pem").exists()


def _prepare_in_another_process(folder: str) -> tuple[int, str]:
    authority, outcome = prepare_authority(Path(folder), NOW)
    return authority.certificate.serial_number, outcome


def test_processes_that_start_at_once_make_one_authority(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(4, mp_context=spawn) as pool:
        results = list(pool.map(_prepare_in_another_process, [str(tmp_path)] * 8))
    assert len({serial for serial, _ in results}) == 1
    assert sorted(outcome for _, outcome in results) == ["created"] + ["kept"] * 7
