"""What real TLS stacks say to the local CA and its leaves: they accept ours, and refuse a thief's."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from tests.support.requirements import require
from tests.support.tls import handshake, run_node, tls_server, without_trust
from watchword.certificates import (
    LocalAuthority,
    ensure_leaf,
    issue_leaf,
    prepare_authority,
)

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
TODAY = datetime.now(UTC)
SUFFIX = "acs.example.internal"


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    return prepare_authority(tmp_path / "ca", TODAY, SUFFIX)[0]


def sign_for(authority: LocalAuthority, name: str, folder: Path) -> tuple[Path, Path]:
    """What a thief of the CA's key would do: sign for any name, past our own checks."""
    key = ec.generate_private_key(ec.SECP256R1())
    key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(TODAY - timedelta(hours=1))
        .not_valid_after(TODAY + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "stolen.pem", folder / "stolen-key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", f"here.{SUFFIX}"])
def test_python_accepts_the_leaf(authority: LocalAuthority, tmp_path: Path, name: str) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path, [f"here.{SUFFIX}"], TODAY)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        handshake(port, authority.certificate_path, name)


def test_python_refuses_a_certificate_that_a_thief_signs_for_another_name(
    authority: LocalAuthority, tmp_path: Path
) -> None:
    with (
        tls_server(*sign_for(authority, "example.com", tmp_path)) as port,
        pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"),
    ):
        handshake(port, authority.certificate_path, "example.com")
    # The same signature for a permitted name passes: it is the constraint that refuses, and nothing else.
    with tls_server(*sign_for(authority, "localhost", tmp_path)) as port:
        handshake(port, authority.certificate_path, "localhost")


def test_openssl_verifies_the_chain_strictly(authority: LocalAuthority, tmp_path: Path) -> None:
    require("openssl", "openssl judges the chain")
    leaf, _ = ensure_leaf(authority, tmp_path, [], TODAY)
    options = ["-x509_strict", "-purpose", "sslserver", "-CAfile", str(authority.certificate_path)]
    command = ["openssl", "verify", *options, "-verify_hostname", "localhost", str(leaf.certificate_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, f"{leaf.certificate_path}: OK\n"), result.stderr


def test_openssl_refuses_a_thief(authority: LocalAuthority, tmp_path: Path) -> None:
    require("openssl", "openssl judges the chain")
    stolen, _ = sign_for(authority, "example.com", tmp_path)
    command = ["openssl", "verify", "-CAfile", str(authority.certificate_path), str(stolen)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "permitted subtree violation" in result.stderr


def test_rust_verifier_of_cryptography_accepts_the_leaf(authority: LocalAuthority) -> None:
    certificate, _ = issue_leaf(authority, [], TODAY)
    verifier = (
        PolicyBuilder()
        .store(Store([authority.certificate]))
        .time(TODAY)
        .build_server_verifier(x509.DNSName("localhost"))
    )
    assert verifier.verify(certificate, []) == [certificate, authority.certificate]


def test_node_accepts_the_leaf_with_our_ca_and_refuses_it_without(authority: LocalAuthority, tmp_path: Path) -> None:
    require("node", "Node.js judges the certificate")
    leaf, _ = ensure_leaf(authority, tmp_path, [], TODAY)
    trusting = {**without_trust(), "NODE_EXTRA_CA_CERTS": str(authority.certificate_path)}
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        assert run_node(f"https://localhost:{port}/", trusting).stdout == "hello"
        refusal = run_node(f"https://localhost:{port}/", without_trust())
        assert (refusal.returncode, refusal.stdout) == (1, "")
