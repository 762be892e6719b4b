"""Bearer tokens nobody should believe.

The server's own tokens are opaque. What an opaque token can be given, its scope and the
certificate it is bound to, is planted in the register; everything else of an attack is a JWT, which
the server has to refuse as a token it never issued.
"""

import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from attacks.bank import Claims, base64url, planted_token
from attacks.corpus import Attack, load_attacks

UNKNOWN = base64url(bytes(32))
_PLANTED = ("AC-070", "AC-071", "AC-083")
_ISSUER = "https://as.bank.test"


def all_planted(der: bytes) -> Iterator[Claims]:
    """Yield the claims of every token that has to be in the register; a good one first."""
    yield {}
    for attack in load_attacks():
        if attack.name in _PLANTED:
            yield planted_claims(attack, der)


def planted_claims(attack: Attack, der: bytes) -> Claims:
    """Return what the register holds of the token of an attack, for A's QWAC."""
    match attack.name:
        case "AC-070":
            return {"scope": "aisp"}
        case "AC-071":
            return {"scope": attack.text}
        case _:
            sha1 = base64url(hashlib.sha1(der, usedforsecurity=False).digest())
            jkt = base64url(hashlib.sha256(b"a key").digest())
            bound = {"(absent)": "", "{x5t: sha1}": sha1, "{x5t#S256: ''}": " "}
            return {"x5t_s256": bound.get(attack.text, jkt)}


def token_of(attack: Attack, operation: dict[str, Any], der: bytes) -> str:
    """Return the token of an attack, as it stands in Authorization."""
    if attack.name in _PLANTED:
        return planted_token(planted_claims(attack, der))
    text = attack.text
    match operation:
        case {"kind": _}:
            return UNKNOWN
        case {"alg": "HS256"}:
            return signed_with_public_key(text)
        case {"attack": _}:
            return misshapen(text)
        case {"header": {"typ": _}}:
            return jwt({"typ": text.split(" ")[0]})
        case {"header": _}:
            return jwt({text: _pointer(text)})
        case {"claims": {"iss": _}}:
            return jwt({}, iss=_issuer(text))
        case {"claims": {"aud": _}}:
            audiences = {"(absent)": None, "[ais, pis]": ["https://ais.test", "https://pis.test"]}
            return jwt({}, aud=audiences.get(text, text))
        case {"claims": {"iat": _}}:
            later = int(time.time()) + int(text.partition("+")[2])
            return jwt({}, iat=later, nbf=later)
    raise AssertionError(f"no token for {operation}")


@cache
def _rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def _ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _part(value: object) -> str:
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def _signing_input(header: dict[str, Any], **claims: Any) -> str:
    now = int(time.time())
    usual = {
        "iss": _ISSUER,
        "aud": "https://api.bank.test",
        "sub": "PSD2_TPPRegister",
        "scope": "manageRegistration",
        "iat": now,
        "exp": now + 600,
    }
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return f"{_part({'alg': 'RS256', 'typ': 'at+jwt'} | header)}.{_part(kept)}"


def jwt(header: dict[str, Any], **claims: Any) -> str:
    """Return a JWT under a key of the attacker's, RS256."""
    text = _signing_input(header, **claims)
    signature = _rsa_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64url(signature)}"


def signed_with_public_key(form: str) -> str:
    """AC-075: HS256 under the public key in some form."""
    public = _rsa_key().public_key()
    numbers = public.public_numbers()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    octets = numbers.n.to_bytes(256, "big")
    secret = {
        "pem": pem,
        "pem_pkcs1": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk_json": json.dumps({"kty": "RSA", "e": "AQAB", "n": base64url(octets)}).encode(),
        "' '+pem": b" " + pem,
    }[form]
    return _hs256(secret)


def _hs256(secret: bytes) -> str:
    text = _signing_input({"alg": "HS256"})
    return f"{text}.{base64url(hmac.digest(secret, text.encode(), 'sha256'))}"


def misshapen(attack: str) -> str:
    """AC-076 and AC-088."""
    es256 = _signing_input({"alg": "ES256"})
    der = _ec_key().sign(es256.encode(), ec.ECDSA(hashes.SHA256()))
    good = jwt({})
    jwe = {"alg": "RSA-OAEP-256", "enc": "A256GCM"}
    match attack:
        case "hs256_empty":
            return _hs256(b"")
        case "es256_zero":
            return f"{es256}.{base64url(bytes(64))}"
        case "es256_der":
            return f"{es256}.{base64url(der)}"
        case "rs256_truncated":
            return good[:-20]
        case "1MB":
            return "A" * 1_000_000
        case "jwe":
            return f"{_part(jwe)}.{base64url(bytes(256))}.AAAA.{base64url(b'x')}.AAAA"
        case "jwe_zip_bomb":
            bomb = zlib.compress(bytes(4_000_000), 9)
            return f"{_part(jwe | {'zip': 'DEF'})}.AAAA.AAAA.{base64url(bomb)}.AAAA"
        case "5_segments":
            return "a.b.c.d.e"
        case "nested":
            inner = base64url(good.encode())
            return f"{_part({'alg': 'RS256', 'cty': 'JWT'})}.{inner}.AAAA"
        case "a.b.c":
            return "a.b.c"
        case "非ascii":
            return "非ascii".encode().decode("latin-1")
    raise AssertionError(attack)


def _issuer(text: str) -> object:
    return {
        "[right, evil]": [_ISSUER, "https://evil.example"],
        "right/": f"{_ISSUER}/",
        "RIGHT": _ISSUER.upper(),
        "right.evil.example": f"{_ISSUER}.evil.example",
        "right@evil.example": f"{_ISSUER}@evil.example",
    }.get(text, text)


def _pointer(name: str) -> object:
    """Return where a JWT says its key is: at the sink, or in itself."""
    numbers = _rsa_key().public_key().public_numbers()
    return {
        "jku": "https://sink.test/jwks.json",
        "x5u": "https://sink.test/c.pem",
        "jwk": {"kty": "RSA", "e": "AQAB", "n": base64url(numbers.n.to_bytes(256, "big"))},
        "x5c": ["AAAA"],
    }[name]
