"""The local CA: what it may sign for, that it lasts, and that exactly one comes of many starts."""

import concurrent.futures
import multiprocessing
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from watchword.certificates import (
    Outcome,
    ensure_leaf,
    prepare_authority,
)
from watchword.errors import OperatorError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = datetime.now(UTC)
SUFFIX = "acs.example.internal"


def files(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir() if not each.name.startswith(".")}


def test_authority_survives_restarts(tmp_path: Path) -> None:
    first, created = prepare_authority(tmp_path, NOW)
    second, kept = prepare_authority(tmp_path, NOW + timedelta(days=3000))
    assert (created, kept) == (Outcome.CREATED, Outcome.KEPT)
    assert first.certificate == second.certificate
    assert files(tmp_path) == {"ca.pem", "ca-key.pem"}


def test_authority_may_sign_for_loopback_names_and_the_suffix_only(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path, NOW, "." + SUFFIX)
    extensions = authority.certificate.extensions
    constraints = extensions.get_extension_for_class(x509.NameConstraints)
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert constraints.critical
    assert basic.critical
    assert usage.critical
    assert authority.permitted == ("localhost", "127.0.0.0/8", "::1/128", SUFFIX)
    assert (basic.value.ca, basic.value.path_length) == (True, 0)
    assert (usage.value.key_cert_sign, usage.value.crl_sign, usage.value.digital_signature) == (True, True, False)
    assert list(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert authority.expires - NOW > timedelta(days=3650)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_private_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], NOW)
    assert stat.S_IMODE(authority.key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(leaf.key_path.stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_authority_is_replaced_when_it_does_not_cover_the_suffix(tmp_path: Path) -> None:
    first, _ = prepare_authority(tmp_path, NOW)
    second, outcome = prepare_authority(tmp_path, NOW, SUFFIX)
    assert outcome is Outcome.REPLACED
    assert first.certificate.subject != second.certificate.subject
    assert first.key.public_key() != second.key.public_key()
    serial = f"{first.certificate.serial_number:x}"[:12]
    assert files(tmp_path) == {"ca.pem", "ca-key.pem", f"ca-{serial}.pem", f"ca-key-{serial}.pem"}


@pytest.mark.parametrize("suffix", [None, "", SUFFIX, "." + SUFFIX, "eu." + SUFFIX, SUFFIX.upper()])
def test_authority_is_kept_when_it_covers_the_suffix(tmp_path: Path, suffix: str | None) -> None:
    prepare_authority(tmp_path, NOW, SUFFIX)
    assert prepare_authority(tmp_path, NOW, suffix)[1] is Outcome.KEPT


def test_authority_is_replaced_shortly_before_it_expires(tmp_path: Path) -> None:
    first, _ = prepare_authority(tmp_path, NOW)
    _, outcome = prepare_authority(tmp_path, first.expires - timedelta(days=29))
    assert outcome is Outcome.REPLACED


def test_crash_between_key_and_certificate_is_healed_by_the_next_start(tmp_path: Path) -> None:
    first, _ = prepare_authority(tmp_path, NOW)
    first.certificate_path.unlink()
    second, outcome = prepare_authority(tmp_path, NOW)
    assert outcome is Outcome.CREATED
    assert second.key.public_key() == first.key.public_key()


@pytest.mark.parametrize("damage", ["missing", "garbled", "foreign"])
def test_authority_whose_key_is_gone_is_reported_and_not_replaced_in_silence(tmp_path: Path, damage: str) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW)
    if damage == "missing":
        authority.key_path.unlink()
    elif damage == "garbled":
        authority.key_path.write_text("garbled")
    else:
        other, _ = prepare_authority(tmp_path / "other", NOW)
        authority.key_path.write_bytes(other.key_path.read_bytes())
    with pytest.raises(OperatorError, match="cannot be used") as raised:
        prepare_authority(tmp_path / "ca", NOW)
    assert "remove both" in raised.value.remedy


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
