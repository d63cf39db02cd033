"""The signing key of the OpenID issuer for development: the same everywhere, and known to everybody.

So a token that a program holds is still good after a restart of `watchword dev --entra`. It guards nothing: whoever has
it could have asked the issuer for any token by a header that is as well known, and only `watchword dev` trusts it.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

from watchword.tokens.issuer import SigningKey

_EXPONENT = 65537
_P = int(
    "d53f8add1aac46d6583320a20d6e9451a007ec64cdc3b2c16a48789786d24cfd"
    "35c3b35292ca4a14eb11d69b7a3c1e7b497ecac87a10f34a515be4e45ff306e4"
    "0470ff483c0d7ddd00f741e821ae621f6fbdc20a70eea404258738820bb04c86"
    "f0e76f06cfedfdbd6f9aa37b2a16264b58e1af5e88e02ee23af193c324616c87",
    16,
)
_Q = int(
    "cf9a2c4f72880445fe64c24022f5554b82b44dc873b97f5eb5a1926d7cc7f465"
    "880fb2413f4ffc3b645035ca07db99044d5a59e6251cc11cb131a29ef17c8fb8"
    "b6d2d7966dc9be32ae1ff38d91ec82f31d7fd9db2dfafbed974d930e8facf4f6"
    "eb5b0b2299b27fb57b25ab69de36fa02489e5e5bb96b360dfe14a8a70b833b23",
    16,
)


def development_key() -> SigningKey:
    """The key is for RS256, as Entra ID's keys are."""
    modulus = _P * _Q
    private = rsa.rsa_recover_private_exponent(_EXPONENT, _P, _Q)
    numbers = rsa.RSAPrivateNumbers(
        _P,
        _Q,
        private,
        rsa.rsa_crt_dmp1(private, _P),
        rsa.rsa_crt_dmq1(private, _Q),
        rsa.rsa_crt_iqmp(_P, _Q),
        rsa.RSAPublicNumbers(_EXPONENT, modulus),
    )
    return SigningKey.of(numbers.private_key())
