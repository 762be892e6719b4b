"""Keys no authority should sign and no library makes; each is a pair of DER.

SubjectPublicKeyInfo comes first, then PKCS#8.
"""

from collections.abc import Sequence
from math import lcm, prod
from typing import Any

from asn1crypto import core, keys
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

_P256_PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_P256_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B


def new_rsa_key() -> tuple[bytes, bytes]:
    """Return an ordinary RSA key of 2048 bits."""
    return _encoded(rsa.generate_private_key(65537, 2048))


def new_ec_key() -> tuple[bytes, bytes]:
    """Return an ordinary key on P-256."""
    return _encoded(ec.generate_private_key(ec.SECP256R1()))


def loaded(key: bytes) -> Any:
    """Return a private key, PKCS#8 DER, to sign with."""
    return load_der_private_key(key, None)


def _encoded(key: Any) -> tuple[bytes, bytes]:
    return (
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    )


def huge_rsa_key() -> tuple[bytes, bytes]:
    """Return an RSA key of 16384 bits, made of many primes since two would take minutes."""
    first, second = [], []
    for _ in range(15):
        p, q = _primes(1024)
        first.append(p)
        second.append(q)
    missing = 16_384 - prod(first + second).bit_length()
    for bits in (missing, missing + 1):  # a product has as many bits as its factors, or one less
        p, q = _primes(bits)
        if prod([*first, *second, p, q]).bit_length() == 16_384:
            break
    return _rsa_key([*first, p], [*second, q], 65537)


def slow_rsa_key() -> tuple[bytes, bytes]:
    """Return an RSA key of 2048 bits whose public exponent has as many."""
    p, q = _primes(2048)
    # The usual exponents changed places: d is 65537.
    return _rsa_key([p], [q], pow(65537, -1, lcm(p - 1, q - 1)))


def _primes(bits: int) -> tuple[int, int]:
    numbers = rsa.generate_private_key(65537, bits).private_numbers()
    return numbers.p, numbers.q


def _rsa_key(first: Sequence[int], second: Sequence[int], exponent: int) -> tuple[bytes, bytes]:
    p, q = prod(first), prod(second)
    orders = [lcm(*(prime - 1 for prime in primes)) for primes in (first, second)]
    d = pow(exponent, -1, lcm(*orders))
    private = keys.RSAPrivateKey(
        {
            "version": 0,
            "modulus": p * q,
            "public_exponent": exponent,
            "private_exponent": d,
            "prime1": p,
            "prime2": q,
            "exponent1": d % orders[0],
            "exponent2": d % orders[1],
            "coefficient": pow(q, -1, p),
        }
    )
    public = keys.RSAPublicKey({"modulus": p * q, "public_exponent": exponent})
    return (
        keys.PublicKeyInfo.wrap(public, "rsa").dump(),
        keys.PrivateKeyInfo.wrap(private, "rsa").dump(),
    )


def explicit_ec_key() -> tuple[bytes, bytes]:
    """Return a key on P-256 whose curve is not named but spelled out (CVE-2020-0601)."""
    info, private = new_ec_key()
    public = keys.PublicKeyInfo.load(info)
    secret = keys.PrivateKeyInfo.load(private)
    public["algorithm"]["parameters"] = _spelled_out_p256()
    secret["private_key_algorithm"]["parameters"] = _spelled_out_p256()
    return public.dump(force=True), secret.dump(force=True)


def _spelled_out_p256() -> Any:
    one = ec.derive_private_key(1, ec.SECP256R1()).public_key()
    base = one.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    domain = keys.SpecifiedECDomain(
        {
            "version": 1,
            "field_id": {"field_type": "prime_field", "parameters": core.Integer(_P256_PRIME)},
            "curve": {
                "a": (_P256_PRIME - 3).to_bytes(32, "big"),
                "b": _P256_B.to_bytes(32, "big"),
            },
            "base": keys.ECPoint(base),
            "order": _P256_ORDER,
            "cofactor": 1,
        }
    )
    return keys.ECDomainParameters(name="specified", value=domain)
