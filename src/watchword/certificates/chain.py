"""Makes the two CA certificates: the root that clients trust, and the intermediate that signs for servers.

    root             self-signed, path length 1; its private key never leaves `make_chain`
    intermediate     signed by the root, path length 0; the only thing that the root will ever have signed

Both may sign for this machine's loopback names and those that are configured, for TLS servers only: whoever steals the
intermediate's key cannot pose as anybody else, and there is no other key to steal.

Observed: Java 17 ignores the name constraints of the certificate that it trusts, but enforces those below it. A root
with a key could therefore sign for everybody there.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from watchword.certificates.names import constraints_for

LIFETIME = timedelta(days=3652)
# Long ago, so that a CA that was made while the clock was ahead holds as soon as the clock is right.
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
# Containers and virtual machines often run a little behind the machine that made the certificate.
BACKDATED = timedelta(hours=1)


@dataclass(frozen=True)
class Chain:
    """`key` is the intermediate's."""

    root: x509.Certificate
    intermediate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def make_chain(now: datetime, names: Collection[x509.GeneralName] = ()) -> Chain:
    """An authority for the names and all under them, besides loopback."""
    # The root's key lives in this function alone: once it returns nobody can sign with it again, not even we.
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name = _name("CA", root_key.public_key())
    name = _name("intermediate CA", key.public_key())
    root = (
        _authority(root_name, root_key.public_key(), 1, now=now, names=names)
        .issuer_name(root_name)
        .sign(root_key, hashes.SHA256())
    )
    intermediate = (
        _authority(name, key.public_key(), 0, now=now, names=names)
        .issuer_name(root_name)
        .add_extension(issued_by(root), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return Chain(root, intermediate, key)


def _authority(
    name: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    path_length: int,
    *,
    now: datetime,
    names: Collection[x509.GeneralName],
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(BEGINNING, now - BACKDATED))
        .not_valid_after(now - BACKDATED + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        # Without this the name constraint would still leave mail, code and client certificates open.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.NameConstraints(constraints_for(names), excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _name(role: str, public_key: ec.EllipticCurvePublicKey) -> x509.Name:
    # Stores tell authorities apart by name, so each key has a name of its own.
    key_id = x509.SubjectKeyIdentifier.from_public_key(public_key).digest.hex()[:8]
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Watchword"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Watchword local {role} {key_id}"),
        ]
    )


def issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """The extension by which clients find the issuer among several."""
    key_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id)


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def constraints(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """The names that a CA certificate may sign for.

    Raises:
        cryptography.x509.ExtensionNotFound: it may sign for any.
    """
    return certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
