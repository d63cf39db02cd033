"""What real TLS stacks say to the local CA and its leaves: they accept ours, and refuse a thief's."""

import re
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from tests.support.requirements import require
from tests.support.tls import handshake, run_java, run_node, tls_server, without_trust
from watchword.certificates import LocalAuthority, ensure_leaf, issue_leaf, prepare_authority
from watchword.certificates.chain import key_usage
from watchword.certificates.trust_bundles import JAVA_STORE_PASSWORD, read_bundle, write_java_store

TODAY = datetime.now(UTC)
SUFFIX = "acs.example.internal"

tricks = pytest.mark.parametrize("trick", ["plain", "common name only", "subordinate"])
OPENSSL_REFUSAL = "permitted subtree violation|path length constraint exceeded"
JAVA_REFUSAL = "name constraints check failed|pathLenConstraint violated"


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    return prepare_authority(tmp_path / "ca", TODAY, SUFFIX)[0]


def _sign(
    issuer: x509.Certificate, issuer_key: ec.EllipticCurvePrivateKey, subject: str, extensions: list[x509.ExtensionType]
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(TODAY - timedelta(hours=1))
        .not_valid_after(TODAY + timedelta(days=30))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=isinstance(each, x509.BasicConstraints))
    return builder.sign(issuer_key, hashes.SHA256()), key


def sign_as_thief(authority: LocalAuthority, name: str, folder: Path, trick: str = "plain") -> tuple[Path, Path]:
    """What a thief of the key on disk would do: sign for any name, past our own checks, and send what he has."""
    issuer, issuer_key, chain = authority.intermediate, authority.key, [authority.intermediate]
    if trick == "subordinate":
        # An authority of his own below ours, without any constraint.
        unconstrained = [x509.BasicConstraints(ca=True, path_length=None), key_usage(key_cert_sign=True)]
        issuer, issuer_key = _sign(issuer, issuer_key, "Mallory", unconstrained)
        chain = [issuer, *chain]
    extensions: list[x509.ExtensionType] = [
        x509.BasicConstraints(ca=False, path_length=None),
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
    ]
    if trick != "common name only":
        extensions.append(x509.SubjectAlternativeName([x509.DNSName(name)]))
    certificate, key = _sign(issuer, issuer_key, name, extensions)
    certificate_path, key_path = folder / "stolen.pem", folder / "stolen-key.pem"
    pem = serialization.Encoding.PEM
    certificate_path.write_bytes(b"".join(each.public_bytes(pem) for each in (certificate, *chain)))
    key_path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return certificate_path, key_path


def verify(authority: LocalAuthority, chain: Path, name: str) -> subprocess.CompletedProcess[str]:
    options = ["-x509_strict", "-purpose", "sslserver", "-CAfile", str(authority.certificate_path)]
    command = ["openssl", "verify", *options, "-untrusted", str(chain), "-verify_hostname", name, str(chain)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def trusting_java(authority: LocalAuthority, folder: Path) -> dict[str, str]:
    store = write_java_store(folder, read_bundle(authority.certificate_path))
    options = f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword={JAVA_STORE_PASSWORD}"
    return {**without_trust(), "JAVA_TOOL_OPTIONS": options}


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", f"here.{SUFFIX}"])
def test_python_accepts_the_leaf(authority: LocalAuthority, tmp_path: Path, name: str) -> None:
    leaf, _ = ensure_leaf(authority, tmp_path, [f"here.{SUFFIX}"], now=TODAY)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        handshake(port, authority.certificate_path, name)


@tricks
def test_python_refuses_what_a_thief_signs_for_another_name(
    authority: LocalAuthority, tmp_path: Path, trick: str
) -> None:
    with (
        tls_server(*sign_as_thief(authority, "example.com", tmp_path, trick)) as port,
        pytest.raises(ssl.SSLCertVerificationError, match=OPENSSL_REFUSAL),
    ):
        handshake(port, authority.certificate_path, "example.com")
    # The same signature for a permitted name passes: it is the constraint that refuses, and nothing else.
    with tls_server(*sign_as_thief(authority, "localhost", tmp_path)) as port:
        handshake(port, authority.certificate_path, "localhost")


def test_openssl_verifies_the_chain_strictly(authority: LocalAuthority, tmp_path: Path) -> None:
    require("openssl", "openssl judges the chain")
    leaf, _ = ensure_leaf(authority, tmp_path, [], now=TODAY)
    result = verify(authority, leaf.certificate_path, "localhost")
    assert (result.returncode, result.stdout) == (0, f"{leaf.certificate_path}: OK\n"), result.stderr


@tricks
def test_openssl_refuses_a_thief(authority: LocalAuthority, tmp_path: Path, trick: str) -> None:
    require("openssl", "openssl judges the chain")
    stolen, _ = sign_as_thief(authority, "example.com", tmp_path, trick)
    result = verify(authority, stolen, "example.com")
    assert result.returncode != 0
    assert re.search(OPENSSL_REFUSAL, result.stderr), result.stderr
    stolen, _ = sign_as_thief(authority, "localhost", tmp_path)
    assert verify(authority, stolen, "localhost").returncode == 0


def test_rust_verifier_of_cryptography_accepts_the_leaf(authority: LocalAuthority) -> None:
    certificate, _ = issue_leaf(authority, [], TODAY)
    verifier = (
        PolicyBuilder()
        .store(Store([authority.certificate]))
        .time(TODAY)
        .build_server_verifier(x509.DNSName("localhost"))
    )
    chain = [certificate, authority.intermediate, authority.certificate]
    assert verifier.verify(certificate, [authority.intermediate]) == chain


def test_node_accepts_the_leaf_with_our_ca_and_refuses_it_without(authority: LocalAuthority, tmp_path: Path) -> None:
    require("node", "Node.js judges the certificate")
    leaf, _ = ensure_leaf(authority, tmp_path, [], now=TODAY)
    trusting = {**without_trust(), "NODE_EXTRA_CA_CERTS": str(authority.certificate_path)}
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        assert run_node(f"https://localhost:{port}/", trusting).stdout == "hello"
        refusal = run_node(f"https://localhost:{port}/", without_trust())
        assert (refusal.returncode, refusal.stdout) == (1, "")


@tricks
def test_node_refuses_a_thief(authority: LocalAuthority, tmp_path: Path, trick: str) -> None:
    require("node", "Node.js judges the certificate")
    trusting = {**without_trust(), "NODE_EXTRA_CA_CERTS": str(authority.certificate_path)}
    with tls_server(*sign_as_thief(authority, "example.com", tmp_path, trick)) as port:
        refusal = run_node(f"https://example.com:{port}/", trusting)
    assert (refusal.returncode, refusal.stdout) == (1, "")
    assert re.search(OPENSSL_REFUSAL, refusal.stderr), refusal.stderr
    with tls_server(*sign_as_thief(authority, "localhost", tmp_path)) as port:
        assert run_node(f"https://localhost:{port}/", trusting).stdout == "hello"


def test_java_accepts_the_leaf(authority: LocalAuthority, tmp_path: Path) -> None:
    require("java", "Java judges the certificate")
    leaf, _ = ensure_leaf(authority, tmp_path, [f"here.{SUFFIX}"], now=TODAY)
    trusting = trusting_java(authority, tmp_path)
    with tls_server(leaf.certificate_path, leaf.key_path) as port:
        for name in ("localhost", "127.0.0.1", f"here.{SUFFIX}"):
            java = run_java(f"https://{name}:{port}/", trusting, tmp_path)
            assert java.stdout == "hello", java.stderr


@tricks
def test_java_refuses_a_thief(authority: LocalAuthority, tmp_path: Path, trick: str) -> None:
    require("java", "Java judges the certificate")
    trusting = trusting_java(authority, tmp_path)
    with tls_server(*sign_as_thief(authority, "example.com", tmp_path, trick)) as port:
        refusal = run_java(f"https://example.com:{port}/", trusting, tmp_path)
    assert (refusal.returncode, refusal.stdout) == (1, "")
    assert re.search(JAVA_REFUSAL, refusal.stderr), refusal.stderr
    with tls_server(*sign_as_thief(authority, "localhost", tmp_path)) as port:
        java = run_java(f"https://localhost:{port}/", trusting, tmp_path)
    assert java.stdout == "hello", java.stderr
