"""The server's own certificate: its names, when it is renewed, and what `doctor` can tell of it."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from watchword.certificates import (
    LocalAuthority,
    Outcome,
    certificate_facts,
    ensure_leaf,
    issue_leaf,
    prepare_authority,
)
from watchword.errors import OperatorError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = datetime.now(UTC)
SUFFIX = "acs.example.internal"


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    return prepare_authority(tmp_path / "ca", TODAY, SUFFIX)[0]


def test_leaf_is_for_loopback_names_and_the_given_ones(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, outcome = ensure_leaf(authority, tmp_path, [f"one.{SUFFIX}", "127.0.0.2", "localhost", f"*.{SUFFIX}"], TODAY)
    chain = x509.load_pem_x509_certificates(leaf.certificate_path.read_bytes())
    names = chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert outcome is Outcome.CREATED
    assert names.get_values_for_type(x509.DNSName) == ["localhost", f"one.{SUFFIX}", f"*.{SUFFIX}"]
    assert names.get_values_for_type(x509.IPAddress) == [
        ip_address("127.0.0.1"),
        ip_address("::1"),
        ip_address("127.0.0.2"),
    ]
    assert list(chain[0].extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [
        ExtendedKeyUsageOID.SERVER_AUTH
    ]
    assert chain[1:] == [authority.intermediate]
    assert chain[0].not_valid_after_utc - chain[0].not_valid_before_utc < timedelta(days=397)
    assert leaf.expires == chain[0].not_valid_after_utc


def test_leaf_is_kept_until_thirty_days_before_it_expires(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW)
    first, _ = ensure_leaf(authority, tmp_path, [], NOW)
    key = first.key_path.read_bytes()
    assert ensure_leaf(authority, tmp_path, [], first.expires - timedelta(days=31))[1] is Outcome.KEPT
    renewed, outcome = ensure_leaf(authority, tmp_path, [], first.expires - timedelta(days=29))
    assert outcome is Outcome.REPLACED
    assert renewed.expires > first.expires
    assert renewed.key_path.read_bytes() == key


def test_leaf_is_renewed_when_names_or_authority_or_key_change(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW, SUFFIX)
    ensure_leaf(authority, tmp_path, [], NOW)
    assert ensure_leaf(authority, tmp_path, [f"a.{SUFFIX}"], NOW)[1] is Outcome.REPLACED
    assert ensure_leaf(authority, tmp_path, [f"a.{SUFFIX}"], NOW)[1] is Outcome.KEPT
    other, _ = prepare_authority(tmp_path / "ca", NOW, "other.internal")
    leaf, outcome = ensure_leaf(other, tmp_path, [], NOW)
    assert outcome is Outcome.REPLACED
    leaf.key_path.write_text("garbled")
    assert ensure_leaf(other, tmp_path, [], NOW)[1] is Outcome.REPLACED
    leaf.certificate_path.write_text("garbled")
    ensure_leaf(other, tmp_path, [], NOW)
    facts = certificate_facts(leaf.certificate_path, leaf.key_path, other.certificate_path)
    assert (facts.key_fits, facts.signed_by_authority) == (True, True)


def test_leaf_whose_file_lost_the_intermediate_is_renewed(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path, [], TODAY)
    alone = x509.load_pem_x509_certificate(leaf.certificate_path.read_bytes())
    leaf.certificate_path.write_bytes(alone.public_bytes(serialization.Encoding.PEM))
    assert ensure_leaf(authority, tmp_path, [], TODAY)[1] is Outcome.REPLACED


def test_leaf_never_outlives_its_authority(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW)
    certificate, _ = issue_leaf(authority, [], authority.expires - timedelta(days=100))
    assert certificate.not_valid_after_utc == authority.expires


@pytest.mark.parametrize(
    "name", ["example.com", "notacs.example.internal", "10.0.0.5", "example.internal", "localhost.com"]
)
def test_name_outside_of_the_constraint_is_refused_with_advice(authority: LocalAuthority, name: str) -> None:
    with pytest.raises(OperatorError, match=f"may not sign for {name}") as raised:
        issue_leaf(authority, [name], TODAY)
    assert "DNS suffix" in raised.value.remedy
    assert "certificate of your own" in raised.value.remedy


def test_facts_tell_what_does_not_fit(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], TODAY)
    other, _ = prepare_authority(tmp_path / "other", TODAY)
    assert certificate_facts(leaf.certificate_path, authority_path=authority.certificate_path).signed_by_authority
    facts = certificate_facts(leaf.certificate_path, other.key_path, other.certificate_path)
    assert facts.subject == "CN=localhost"
    assert facts.names == ("localhost", "127.0.0.1", "::1")
    assert facts.expires == leaf.expires
    assert (facts.key_fits, facts.signed_by_authority) == (False, False)
    assert certificate_facts(leaf.certificate_path).key_fits is None
    with pytest.raises(OperatorError, match="cannot be read as a certificate"):
        certificate_facts(leaf.key_path)
    with pytest.raises(OperatorError, match="cannot be read as a private key"):
        certificate_facts(leaf.certificate_path, tmp_path / "absent.pem")
