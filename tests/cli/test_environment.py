"""What `watchword env` sets: whatever is in force stays in force, and our CA joins it."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.requirements import require
from tests.support.tls import without_trust
from watchword.certificates import LocalAuthority, prepare_authority
from watchword.certificates.system_roots import read_system_roots
from watchword.certificates.trust_bundles import JAVA_STORE_PASSWORD, read_bundle, read_java_store, write_java_store
from watchword.cli.environment import Environment, build_environment
from watchword.cli.java_options import find_property, split_options
from watchword.errors import OperatorError

TODAY = datetime.now(UTC)
CONNECTION_STRING = "endpoint=https://localhost:8443/;accesskey=c2VjcmV0IGtleQ=="


@pytest.fixture
def authority(tmp_path: Path) -> LocalAuthority:
    # A folder with a blank and quotes in its name, as users have them, goes through everything.
    return prepare_authority(tmp_path / 'it\'s "my" folder' / "ca", TODAY)[0]


@pytest.fixture
def corporate(tmp_path: Path) -> Path:
    """The certificate of another CA, which the machine's owner had put in force before us."""
    return prepare_authority(tmp_path / "corporate", TODAY)[0].certificate_path


def build(authority: LocalAuthority, current: Mapping[str, str]) -> Environment:
    return build_environment(
        CONNECTION_STRING, authority.certificate_path, authority.folder.parent / "bundles", current=current
    )


def ders(path: str | Path) -> list[bytes]:
    return read_bundle(Path(path))


def java_store(options: str) -> list[bytes]:
    split = split_options(options)
    path = find_property(split, "javax.net.ssl.trustStore")
    assert path is not None
    return read_java_store(Path(path), find_property(split, "javax.net.ssl.trustStorePassword"))


# Nothing in force


def test_without_anything_in_force_the_system_roots_and_our_ca_are_trusted(authority: LocalAuthority) -> None:
    environment = build(authority, {})
    ours = ders(authority.certificate_path)
    assert environment.warnings == ()
    assert set(environment.variables) == {
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        "AZURE_COMMUNICATION_CONNECTION_STRING",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "NODE_EXTRA_CA_CERTS",
        "JAVA_TOOL_OPTIONS",
    }
    assert environment.variables["AZURE_COMMUNICATION_CONNECTION_STRING"] == CONNECTION_STRING
    assert environment.variables["NODE_EXTRA_CA_CERTS"] == str(authority.certificate_path)
    roots = read_system_roots()
    assert len(roots) > 20
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        assert ders(environment.variables[name]) == list(dict.fromkeys([*roots, *ours]))
    assert set(java_store(environment.variables["JAVA_TOOL_OPTIONS"])) >= set(ours)
    assert len(java_store(environment.variables["JAVA_TOOL_OPTIONS"])) > 20


def test_server_without_tls_changes_no_trust(tmp_path: Path) -> None:
    environment = build_environment(CONNECTION_STRING, None, tmp_path, current={"SSL_CERT_FILE": "/corporate.pem"})
    assert set(environment.variables) == {
        "COMMUNICATION_SERVICES_CONNECTION_STRING",
        "AZURE_COMMUNICATION_CONNECTION_STRING",
    }
    assert list(tmp_path.iterdir()) == []


def test_missing_ca_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"absent\.pem cannot be read: there is no such file"):
        build_environment(CONNECTION_STRING, tmp_path / "absent.pem", tmp_path, current={})


# Something in force


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "CURL_CA_BUNDLE"])
def test_bundle_in_force_is_extended(authority: LocalAuthority, corporate: Path, name: str) -> None:
    before = corporate.read_bytes()
    variables = build(authority, {name: str(corporate)}).variables
    assert ders(variables[name]) == [*ders(corporate), *ders(authority.certificate_path)]
    assert corporate.read_bytes() == before


def test_requests_falls_back_to_the_bundle_of_curl(authority: LocalAuthority, corporate: Path) -> None:
    variables = build(authority, {"CURL_CA_BUNDLE": str(corporate)}).variables
    assert variables["REQUESTS_CA_BUNDLE"] == variables["CURL_CA_BUNDLE"]
    assert ders(variables["REQUESTS_CA_BUNDLE"]) == [*ders(corporate), *ders(authority.certificate_path)]


def test_folder_of_certificates_is_extended(authority: LocalAuthority, corporate: Path) -> None:
    folder = corporate.parent / "hashed"
    folder.mkdir()
    (folder / "corporate.crt").write_bytes(corporate.read_bytes())
    (folder / "0a1b2c3d.0").symlink_to("corporate.crt")
    (folder / "README").write_text("Certificates of the corporation.")
    variables = build(authority, {"REQUESTS_CA_BUNDLE": str(folder), "SSL_CERT_DIR": f"/absent{os.pathsep}{folder}"})
    expected = [*ders(corporate), *ders(authority.certificate_path)]
    assert ders(variables.variables["REQUESTS_CA_BUNDLE"]) == expected
    # OpenSSL read the folder beside the system's roots.
    assert ders(variables.variables["SSL_CERT_FILE"]) == list(dict.fromkeys([*read_system_roots(), *expected]))
    assert variables.warnings == ()


def test_private_key_in_a_bundle_is_not_carried_along(authority: LocalAuthority, corporate: Path) -> None:
    both = corporate.with_name("both.pem")
    both.write_bytes(corporate.with_name("intermediate-key.pem").read_bytes() + corporate.read_bytes())
    variables = build(authority, {"SSL_CERT_FILE": str(both)}).variables
    assert b"PRIVATE KEY" not in Path(variables["SSL_CERT_FILE"]).read_bytes()
    assert ders(variables["SSL_CERT_FILE"])[0] == ders(corporate)[0]


@pytest.mark.parametrize(
    "content", [None, b"no certificate", b"-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----"]
)
def test_useless_bundle_is_replaced_with_a_warning(
    authority: LocalAuthority, tmp_path: Path, content: bytes | None
) -> None:
    useless = tmp_path / "useless.pem"
    if content is not None:
        useless.write_bytes(content)
    environment = build(authority, {"SSL_CERT_FILE": str(useless)})
    assert len(ders(environment.variables["SSL_CERT_FILE"])) > 20
    (warning,) = environment.warnings
    assert warning.startswith("SSL_CERT_FILE is not extended but replaced: ")
    assert str(useless) in warning


def test_second_call_says_the_same_as_the_first(authority: LocalAuthority, corporate: Path) -> None:
    corporate_store = write_java_store(corporate.parent, ders(corporate))
    current = {
        "REQUESTS_CA_BUNDLE": str(corporate),
        "CURL_CA_BUNDLE": str(corporate),
        "JAVA_TOOL_OPTIONS": f"-Xmx1g -Djavax.net.ssl.trustStore={corporate_store} "
        f"-Djavax.net.ssl.trustStorePassword={JAVA_STORE_PASSWORD}",
    }
    for start in ({}, current):
        first = build(authority, start).variables
        bundles = set((authority.folder.parent / "bundles").iterdir())
        again = build(authority, {**start, **first})
        assert again.variables == first
        assert again.warnings == ()
        # Beside it, from an untouched shell, the very same files are used and none is written anew.
        assert build(authority, start).variables == first
        assert set((authority.folder.parent / "bundles").iterdir()) == bundles


def test_bundles_of_other_shells_are_left_alone(authority: LocalAuthority, corporate: Path) -> None:
    first = Path(build(authority, {}).variables["SSL_CERT_FILE"])
    before = first.read_bytes()
    second = Path(build(authority, {"SSL_CERT_FILE": str(corporate)}).variables["SSL_CERT_FILE"])
    assert second != first
    assert first.read_bytes() == before


# Java


def test_java_options_are_kept_and_their_store_is_extended(authority: LocalAuthority, corporate: Path) -> None:
    store = corporate.with_name("trust store.p12")
    shutil.move(write_java_store(corporate.parent, ders(corporate)), store)
    current = (
        f"-Xmx1g -Dgreeting='good day' '-Djavax.net.ssl.trustStore={store}'"
        f" -Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.trustStoreType=pkcs12 -ea"
    )
    options = build(authority, {"JAVA_TOOL_OPTIONS": current}).variables["JAVA_TOOL_OPTIONS"]
    assert options.startswith("-Xmx1g -Dgreeting='good day' -ea -Djavax.net.ssl.trustStore=")
    assert options.count("trustStore=") == 1
    assert set(java_store(options)) == {*ders(corporate), *ders(authority.certificate_path)}


def test_java_store_of_the_old_form_is_extended(authority: LocalAuthority, corporate: Path) -> None:
    require("keytool", "keytool makes a store of the old form")
    store = corporate.with_name("old.jks")
    password = ["-storepass", "secret", "-keystore", str(store), "-storetype", "JKS", "-noprompt"]
    subprocess.run(
        ["keytool", "-importcert", "-alias", "corporate", "-file", str(corporate), *password],
        check=True,
        capture_output=True,
    )
    # A private key in the same store is skipped over.
    key = ["-genkeypair", "-alias", "mine", "-dname", "CN=mine", "-keyalg", "EC", "-keypass", "secret"]
    subprocess.run(["keytool", *key, *password], check=True, capture_output=True)
    assert store.read_bytes().startswith(b"\xfe\xed\xfe\xed")
    environment = build(authority, {"JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={store}"})
    assert environment.warnings == ()
    options = environment.variables["JAVA_TOOL_OPTIONS"]
    assert set(java_store(options)) == {*ders(corporate), *ders(authority.certificate_path)}
    assert "trustStoreType=PKCS12" in options


@pytest.mark.parametrize("content", [b"", b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0", b"\xce\xce\xce\xce", None])
def test_java_store_that_cannot_be_read_stays_in_force_with_a_warning(
    authority: LocalAuthority, tmp_path: Path, content: bytes | None
) -> None:
    store = tmp_path / "store"
    if content is not None:
        store.write_bytes(content)
    options = f"-Xmx1g -Djavax.net.ssl.trustStore={store}"
    environment = build(authority, {"JAVA_TOOL_OPTIONS": options})
    assert environment.variables["JAVA_TOOL_OPTIONS"] == options
    (warning,) = environment.warnings
    assert "Java will not trust our CA" in warning


def test_java_options_that_java_would_refuse_are_left_alone(authority: LocalAuthority) -> None:
    environment = build(authority, {"JAVA_TOOL_OPTIONS": "-Da='b"})
    assert environment.variables["JAVA_TOOL_OPTIONS"] == "-Da='b"
    assert "a quote is never closed" in environment.warnings[0]


def test_trust_store_in_the_options_that_outrank_ours_is_warned_of(authority: LocalAuthority) -> None:
    environment = build(authority, {"JDK_JAVA_OPTIONS": "-Djavax.net.ssl.trustStore=/corporate.p12"})
    assert "JDK_JAVA_OPTIONS" in environment.warnings[0]


# Bundles in the eyes of others


def test_openssl_loads_every_certificate_of_the_bundle(authority: LocalAuthority) -> None:
    bundle = build(authority, {}).variables["SSL_CERT_FILE"]
    context = ssl.create_default_context(cafile=bundle)
    assert context.cert_store_stats()["x509"] == len(ders(bundle))


def test_java_lists_every_certificate_of_the_store(authority: LocalAuthority) -> None:
    require("keytool", "keytool lists the store")
    options = build(authority, {}).variables["JAVA_TOOL_OPTIONS"]
    store = find_property(split_options(options), "javax.net.ssl.trustStore")
    assert store is not None
    command = ["keytool", "-list", "-keystore", store, "-storepass", JAVA_STORE_PASSWORD]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, env=without_trust())
    assert listed.stdout.count("trustedCertEntry") == len(java_store(options))
