"""Signatures that a careless verifier takes for good: after Wycheproof, with A's own key (AC-123).

The published vectors sign messages of their own under keys of their own, so that none of them is a
request; here the same mistakes are made over a request. The vectors themselves are run in
tests/httpsig.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

Signer = Callable[[bytes], bytes]

_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
_SHA256_WITHOUT_NULL = bytes.fromhex("302f300b06096086480165030402010420")
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def rsa_signer(key: Any, make: Callable[[bytes, int], bytes]) -> Signer:
    """Return a signer that raises to the private exponent what `make` makes of digest and size."""
    numbers = key.private_numbers()
    modulus, size = numbers.public_numbers.n, key.key_size // 8

    def signer(signed: bytes) -> bytes:
        block = int.from_bytes(make(hashlib.sha256(signed).digest(), size), "big")
        return pow(block, numbers.d, modulus).to_bytes(size, "big")

    return signer


def padded(
    digest: bytes, size: int, *, info: bytes = _SHA256, kind: int = 1, end: bytes = b""
) -> bytes:
    """Return the block of RSASSA-PKCS1-v1_5, right unless something else is asked for."""
    content = b"\0" + info + digest + end
    return bytes((0, kind)) + b"\xff" * (size - 2 - len(content)) + content


def _short_padding(digest: bytes, size: int) -> bytes:
    return (b"\0\1\xff\0" + _SHA256 + digest).ljust(size, b"\0")


def pkcs1(key: Any) -> Iterator[Signer]:
    """Yield signers whose padding is not that of RSASSA-PKCS1-v1_5, or whose number is too long."""
    modulus, size = key.public_key().public_numbers().n, key.key_size // 8
    good = rsa_signer(key, padded)
    yield rsa_signer(key, partial(padded, info=_SHA256_WITHOUT_NULL))
    yield rsa_signer(key, partial(padded, info=b""))
    yield rsa_signer(key, partial(padded, kind=2))
    yield rsa_signer(key, partial(padded, end=bytes(20)))
    yield rsa_signer(key, _short_padding)
    yield lambda signed: good(signed)[:-1]
    yield lambda signed: b"\0" + good(signed)
    yield lambda signed: (int.from_bytes(good(signed), "big") + modulus).to_bytes(size + 1, "big")
    yield lambda _: bytes(size)
    yield lambda _: (1).to_bytes(size, "big")


def pss(key: Any) -> Iterator[Signer]:
    """Yield signers of RSASSA-PSS with another salt, mask or hash, or other octets after it."""

    def signer(salt: int, mask: Any = hashes.SHA256(), digest: Any = hashes.SHA256()) -> Signer:
        scheme = padding.PSS(padding.MGF1(mask), salt)
        return lambda signed: bytes(key.sign(signed, scheme, digest))

    yield signer(0)
    yield signer(31)
    yield signer(32, mask=hashes.SHA1())
    yield signer(32, digest=hashes.SHA512())
    yield lambda signed: signer(32)(signed)[:-1]
    yield lambda signed: signer(32)(signed) + b"\0"


def ecdsa_signature(key: ec.EllipticCurvePrivateKey, signed: bytes) -> bytes:
    """Return a good signature in DER."""
    return key.sign(signed, ec.ECDSA(hashes.SHA256()))


def ecdsa(key: ec.EllipticCurvePrivateKey) -> Iterator[Signer]:
    """Yield signers of ECDSA whose numbers are zero or too long, or whose DER is not DER."""

    good = partial(ecdsa_signature, key)

    def with_numbers(r: int, s: int) -> Signer:
        return lambda _: encode_dss_signature(r, s)

    def shifted(signed: bytes) -> bytes:
        r, s = decode_dss_signature(good(signed))
        return encode_dss_signature(r, s + _P256_ORDER)

    yield with_numbers(0, 0)
    yield with_numbers(0, 1)
    yield with_numbers(_P256_ORDER, _P256_ORDER)
    yield shifted
    yield lambda _: bytes(64)
    yield lambda signed: good(signed) + b"\0"
    yield lambda signed: b"\x30\x81" + good(signed)[1:]
