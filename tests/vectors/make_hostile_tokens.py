"""Writes hostile_tokens.json anew, with new keys: python -m tests.vectors.make_hostile_tokens

Each token is one that some verifier has accepted; the file says which check of ours must refuse it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.tokens import (
    EDDSA,
    ES256,
    KEYS,
    NOW_MICROS,
    NOW_SECONDS,
    RS256,
    claims,
    header_of,
    payload,
    segment,
    sign_anything,
)
from watchword.tokens.issuer import new_signing_key, sign
from watchword.tokens.jwks import decode_base64url, encode_base64url, to_jwk

FILE = Path(__file__).with_name("hostile_tokens.json")
Vector = tuple[str, str, str, str]
_GOOD = sign(claims(), ES256)
_ATTACKER = new_signing_key("ES256")


def vectors() -> Iterator[Vector]:
    """Class, comment, the check that refuses, token."""
    yield from _none()
    yield from _confusion()
    yield from _embedded_key()
    yield from _key_id()
    yield from _size()
    yield from _spelling()
    yield from _header()
    yield from _signature()
    yield from _claims()


def _none() -> Iterator[Vector]:
    signature = _GOOD.rpartition(".")[2]
    for name in ("none", "None", "NONE", "nOnE", "none ", "", " none", "nonE\u0000"):
        unsigned = f"{segment(header_of(alg=name))}.{segment(payload())}"
        yield "alg none", f"alg {name!r}, no signature", "algorithm", f"{unsigned}."
        yield "alg none", f"alg {name!r}, another token's signature", "algorithm", f"{unsigned}.{signature}"
    for comment, header in (("alg null", header_of(alg=None)), ("no alg", header_of(alg=...))):
        yield "alg none", comment, "format", f"{segment(header)}.{segment(payload())}."
    yield "alg none", "alg none and no kid", "format", f"{segment({'alg': 'none'})}.{segment(payload())}."


def _confusion() -> Iterator[Vector]:
    """CVE-2026-48526 among them: a public key taken for an HMAC secret."""
    for key in (ES256, RS256, EDDSA):
        public = key.private_key.public_key()
        jwk = to_jwk(key.verification_key())
        secrets = {
            "public key in PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "public key in DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "public JWK": msgspec.json.encode(jwk),
            "public key set": KEYS.to_json(),
            "first number of the JWK": decode_base64url(jwk.x or jwk.n),
            "key id": key.kid.encode(),
            "empty": b"",
        }
        for name, secret in secrets.items():
            for alg, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
                message = f"{segment(header_of(key, alg=alg))}.{segment(payload())}"
                mac = hmac.new(secret, message.encode(), digest).digest()
                comment = f"{key.algorithm} key as {alg} secret: {name}"
                yield "confusion", comment, "algorithm", f"{message}.{encode_base64url(mac)}"
        for alg in ("ES256", "RS256", "EdDSA", "PS256", "ES384", "es256", "ES256K"):
            if alg != key.algorithm:
                token = sign_anything(header_of(key, alg=alg), payload(), key)
                yield "confusion", f"{key.algorithm} signature that says {alg}", "algorithm", token
    for kid_of, signer in ((ES256, RS256), (RS256, ES256), (EDDSA, ES256), (ES256, EDDSA)):
        token = sign_anything(header_of(kid_of), payload(), signer)
        yield "confusion", f"{signer.algorithm} signature under the {kid_of.algorithm} key's id", "signature", token


def _embedded_key() -> Iterator[Vector]:
    """CVE-2026-27962: the key that a header brings along is believed."""
    own = msgspec.to_builtins(to_jwk(_ATTACKER.verification_key()))
    carried = {
        "jwk": own,
        "jku": "https://attacker.example/jwks.json",
        "x5u": "https://attacker.example/chain.pem",
        "x5c": ["MIIBAjCBqgIBATAKBggqhkjOPQQDAjAAMB4XDTI2MDEwMTAwMDAwMFoXDTI3MDEwMTAwMDAwMFowADBZMBMG"],
        "keys": [own],
    }
    for name, value in carried.items():
        for kid, check in ((ES256.kid, "signature"), (_ATTACKER.kid, "key")):
            token = sign_anything(header_of(kid=kid, **{name: value}), payload(), _ATTACKER)
            yield "embedded key", f"{name}, kid {'known' if kid == ES256.kid else 'of the attacker'}", check, token
    token = sign_anything(header_of(kid=..., jwk=own), payload(), _ATTACKER)
    yield "embedded key", "jwk and no kid", "format", token


def _key_id() -> Iterator[Vector]:
    for kid in (
        "../../../../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "https://attacker.example/key.pem",
        "' or '1'='1",
        "x' union select 'AAAA' --",
        "%00",
        "",
        ES256.kid + "\u0000",
        ES256.kid + " ",
        ES256.kid + "/../" + ES256.kid,
        ES256.kid.swapcase(),
        "".join(chr(ord(each) + 0xFEE0) for each in ES256.kid),
        ES256.kid + "\u200b",
        "\ud800",
        "|/usr/bin/id",
        "k" * 5_000,
    ):
        message = f"{segment(header_of(kid=kid))}.{segment(payload())}"
        mac = encode_base64url(hmac.new(b"", message.encode(), hashlib.sha256).digest())
        check = "format" if "\ud800" in kid else "key"
        yield "key id", f"kid {kid[:60]!r}", check, f"{message}.{mac}"
    for value in (None, 0, True, [ES256.kid], {"kid": ES256.kid}):
        yield "key id", f"kid is {value!r}", "format", sign_anything(header_of(kid=value), payload())


def _size() -> Iterator[Vector]:
    """CVE-2025-61920: work in proportion to what an attacker sends."""
    yield "size", "header", "size", sign_anything(header_of(filler="x" * 7_000), payload())
    yield "size", "payload", "size", sign_anything(header_of(), payload(filler="x" * 7_000))
    yield "size", "signature", "size", _GOOD + "A" * 8_000
    yield "size", "dots", "size", "." * 9_000


def _spelling() -> Iterator[Vector]:
    head, body, signature = _GOOD.split(".")
    # The last character of 64 bytes carries four bits that mean nothing.
    other = chr(ord(signature[-1]) + 1)
    yield "spelling", "bits that mean nothing in the signature", "format", f"{head}.{body}.{signature[:-1]}{other}"
    for comment, token in {
        "padding after the signature": f"{_GOOD}==",
        "padding after the header": f"{head}=.{body}.{signature}",
        "trailing dot": f"{_GOOD}.",
        "leading dot": f".{_GOOD}",
        "two parts": f"{head}.{body}",
        "four parts": f"{_GOOD}.{signature}",
        "five parts, as if encrypted": f"{head}.{body}.{body}.{body}.{signature}",
        "newline within": f"{head}.{body[:20]}\n{body[20:]}.{signature}",
        "newline at the end": f"{_GOOD}\n",
        "space within": f"{head}.{body}. {signature}",
        "tab at the beginning": f"\t{_GOOD}",
        "scheme before it": f"Bearer {_GOOD}",
        "not ASCII": f"{_GOOD}\u00e9",
        "full-width dot": f"{head}\uff0e{body}\uff0e{signature}",
        "empty": "",
        "JSON serialization": json.dumps({"payload": body, "protected": head, "signature": signature}),
    }.items():
        yield "spelling", comment, "format", token
    plus = sign_anything(header_of(), payload(rgn="~~~???>>>"))
    swapped = plus.replace("-", "+").replace("_", "/")
    yield "spelling", "the standard alphabet", "format", swapped


def _header() -> Iterator[Vector]:
    changes: dict[str, dict[str, Any]] = {
        "crit": {"crit": ["exp"]},
        "crit, empty": {"crit": []},
        "crit null": {"crit": None},
        "b64 false": {"b64": False, "crit": ["b64"]},
        "b64 false without crit": {"b64": False},
        "typ of another kind": {"typ": "at+jwt"},
        "typ JWE": {"typ": "JWE"},
    }
    for comment, changed in changes.items():
        yield "header", comment, "header", sign_anything(header_of(**changed), payload())
    deep = b'{"alg":"ES256","x":' + b"[" * 5_000
    yield "header", "nested deeply", "format", f"{segment(deep)}.{segment(payload())}.AA"
    for text in (b"[]", b"null", b'"x"', b"{", b"", b"\xff", b'{"alg":"ES256"}', b"\xef\xbb\xbf{}"):
        yield "header", f"header {text!r}", "format", sign_anything(text, payload())


def _signature() -> Iterator[Vector]:
    head, body, signature = _GOOD.split(".")
    raw = decode_base64url(signature)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    for comment, forged in {
        "empty": b"",
        "one byte short": raw[:-1],
        "one byte long": raw + b"\x00",
        "in DER": der,
        "zeros (CVE-2022-21449)": bytes(64),
        "r and s are 1": bytes(31) + b"\x01" + bytes(31) + b"\x01",
        "swapped halves": raw[32:] + raw[:32],
    }.items():
        yield "signature", comment, "signature", f"{head}.{body}.{encode_base64url(forged)}"
    yield "signature", "other claims", "signature", f"{head}.{segment(payload(acsScope='chat,voip,admin'))}.{signature}"
    yield "signature", "other header", "signature", f"{segment(header_of(x=1))}.{body}.{signature}"


def _claims() -> Iterator[Vector]:
    hour = 3_600
    changes: dict[str, dict[str, Any]] = {
        "times in milliseconds": {"iat": NOW_SECONDS * 1_000, "exp": (NOW_SECONDS + hour) * 1_000},
        "exp in milliseconds": {"exp": (NOW_SECONDS + hour) * 1_000},
        "exp in microseconds": {"exp": NOW_MICROS},
        "iat in milliseconds": {"iat": NOW_SECONDS * 1_000},
        "issue time in nanoseconds": {"iatMicros": NOW_MICROS * 1_000},
        "exp 2^63 - 1": {"exp": 2**63 - 1},
        "exp 2^63": {"exp": 2**63},
        "exp 2^64": {"exp": 2**64},
        "exp 10^30": {"exp": 10**30},
        "exp and iat 2^63": {"exp": 2**63 + hour, "iat": 2**63},
        "exp negative": {"exp": -1},
        "exp and iat negative": {"exp": -1, "iat": -hour},
        "exp a float": {"exp": NOW_SECONDS + 0.5},
        "exp a float without fraction": {"exp": float(NOW_SECONDS + hour)},
        "exp a string": {"exp": str(NOW_SECONDS + hour)},
        "exp true": {"exp": True},
        "exp null": {"exp": None},
        "no exp": {"exp": ...},
        "exp before iat": {"exp": NOW_SECONDS - 1},
        "longer than a token may live": {"exp": NOW_SECONDS + 24 * hour + 1},
        "no jti": {"jti": ...},
        "jti a number": {"jti": 7},
        "no generation": {"gen": ...},
        "generation negative": {"gen": -1},
        "generation a string": {"gen": "9"},
        "no generation of the resource": {"resourceGen": ...},
        "issue time negative": {"iatMicros": -1},
        "no resource": {"resourceId": ...},
        "resource a list": {"resourceId": [claims().resourceId]},
    }
    for comment, changed in changes.items():
        yield "claims", comment, "claims", sign_anything(header_of(), payload(**changed))
    for text in (b"", b"null", b"[]", b"{}", b"\xff", b"not JSON", b'{"exp":' + b"[" * 5_000, b'{"exp":1e400}'):
        yield "claims", f"payload {text[:20]!r}", "claims", sign_anything(header_of(), text)


def main() -> None:
    """Every vector stands on a line of its own, so that a change shows what it changes."""
    lines = [
        json.dumps({"class": kind, "comment": comment, "check": check, "token": token})
        for kind, comment, check, token in vectors()
    ]
    facts = {"micros": NOW_MICROS, "good": [sign(claims(), key) for key in (ES256, RS256, EDDSA)]}
    head = "".join(f'  "{name}": {json.dumps(value)},\n' for name, value in facts.items())
    keys = KEYS.to_json().decode()
    body = ",\n    ".join(lines)
    FILE.write_text(f'{{\n{head}  "keySet": {keys},\n  "hostile": [\n    {body}\n  ]\n}}\n', "ascii")


if __name__ == "__main__":
    main()
