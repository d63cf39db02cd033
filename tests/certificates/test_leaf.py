"""The server's own certificate: its names, when it is renewed, and what `doctor` can tell of it."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.tls import handshake, tls_server
from watchword.certificates import (
    LocalAuthority,
    Outcome,
    certificate_facts,
    ensure_leaf,
    issue_leaf,
    prepare_authority,
)
from watchword.certificates.names import holds_for
from watchword.errors import OperatorError

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = datetime.now(UTC)
SUFFIX = "acs.example.internal"


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    return prepare_authority(tmp_path / "ca", TODAY, SUFFIX)[0]


def test_leaf_is_for_loopback_names_and_the_given_ones(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, outcome = ensure_leaf(
        authority, tmp_path, [f"one.{SUFFIX}", "127.0.0.2", "localhost", f"*.{SUFFIX}"], now=TODAY
    )
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
    first, _ = ensure_leaf(authority, tmp_path, [], now=NOW)
    key = first.key_path.read_bytes()
    assert ensure_leaf(authority, tmp_path, [], now=first.expires - timedelta(days=31))[1] is Outcome.KEPT
    renewed, outcome = ensure_leaf(authority, tmp_path, [], now=first.expires - timedelta(days=29))
    assert outcome is Outcome.REPLACED
    assert renewed.expires > first.expires
    assert renewed.key_path.read_bytes() == key


def test_leaf_is_renewed_when_names_or_authority_or_key_change(tmp_path: Path) -> None:
    authority, _ = prepare_authority(tmp_path / "ca", NOW, SUFFIX)
    ensure_leaf(authority, tmp_path, [], now=NOW)
    assert ensure_leaf(authority, tmp_path, [f"a.{SUFFIX}"], now=NOW)[1] is Outcome.REPLACED
    assert ensure_leaf(authority, tmp_path, [f"a.{SUFFIX}"], now=NOW)[1] is Outcome.KEPT
    other, _ = prepare_authority(tmp_path / "ca", NOW, "other.internal")
    leaf, outcome = ensure_leaf(other, tmp_path, [], now=NOW)
    assert outcome is Outcome.REPLACED
    leaf.key_path.write_text("garbled")
    assert ensure_leaf(other, tmp_path, [], now=NOW)[1] is Outcome.REPLACED
    leaf.certificate_path.write_text("garbled")
    ensure_leaf(other, tmp_path, [], now=NOW)
    facts = certificate_facts(leaf.certificate_path, leaf.key_path, other.certificate_path)
    assert (facts.key_fits, facts.signed_by_authority) == (True, True)


def test_leaf_whose_file_lost_the_intermediate_is_renewed(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path, [], now=TODAY)
    alone = x509.load_pem_x509_certificate(leaf.certificate_path.read_bytes())
    leaf.certificate_path.write_bytes(alone.public_bytes(serialization.Encoding.PEM))
    assert ensure_leaf(authority, tmp_path, [], now=TODAY)[1] is Outcome.REPLACED


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
    assert "--tls-names" in raised.value.remedy
    assert "certificate of your own" in raised.value.remedy


def test_facts_tell_what_does_not_fit(authority: LocalAuthority, tmp_path: Path) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=TODAY)
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


def test_names_and_addresses_are_signed_for_once_the_authority_was_told_of_them(tmp_path: Path) -> None:
    names = ["acs.lab.internal", "watchword", "192.0.2.7", "2001:db8::7", "*.apps.internal"]
    first, _ = prepare_authority(tmp_path / "ca", NOW, SUFFIX)
    authority, outcome = prepare_authority(tmp_path / "ca", NOW, names=names)
    assert outcome is Outcome.REPLACED
    # What the one before might sign for stays, so that servers with different names do not replace it in turn.
    assert prepare_authority(tmp_path / "ca", NOW, SUFFIX)[1] is Outcome.KEPT
    assert prepare_authority(tmp_path / "ca", NOW, names=["deeper.acs.lab.internal"])[1] is Outcome.KEPT
    assert set(authority.permitted) >= {*first.permitted, "watchword", "192.0.2.7/32", "apps.internal"}
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", names, now=NOW)
    assert set(leaf.names) >= set(names)
    again, outcome = ensure_leaf(authority, tmp_path / "leaf", [SUFFIX], now=NOW)
    assert (outcome, set(again.names) >= {*names, SUFFIX}) == (Outcome.REPLACED, True)
    assert ensure_leaf(authority, tmp_path / "leaf", names, now=NOW)[1] is Outcome.KEPT


def test_clients_reach_the_server_by_each_of_its_names(tmp_path: Path) -> None:
    names = ["acs.lab.internal", "192.0.2.7", "watchword"]
    authority, _ = prepare_authority(tmp_path / "ca", TODAY, names=names)
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", names, now=TODAY)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        for name in names:
            handshake(port, authority.certificate_path, name)


@pytest.mark.parametrize(
    ("names", "host", "holds"),
    [
        (["acs.example"], "ACS.example", True),
        (["*.example"], "acs.example", True),
        (["*.example"], "deep.acs.example", False),
        (["*.example"], "example", False),
        (["::1"], "[0:0:0:0:0:0:0:1]", True),
        (["192.0.2.7"], "192.0.2.7", True),
        (["192.0.2.7"], "192.0.2.8", False),
        ([], "localhost", False),
    ],
)
def test_whom_a_certificate_holds_for(names: list[str], host: str, holds: bool) -> None:
    assert holds_for(names, host) is holds


def test_certificate_that_was_made_while_the_clock_was_ahead_is_trusted_when_it_is_right(tmp_path: Path) -> None:
    prepare_authority(tmp_path / "ca", TODAY + timedelta(days=2))
    authority, outcome = prepare_authority(tmp_path / "ca", TODAY)
    assert outcome is Outcome.KEPT
    leaf, _ = ensure_leaf(authority, tmp_path / "leaf", [], now=TODAY)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        handshake(port, authority.certificate_path, "localhost")
