"""PKCS#1 v1.5 is compared whole: what a lenient reader would take is refused (RFC 8017 §8.2.2)."""

from collections.abc import Iterator
from hashlib import sha256, sha512

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from enrol.httpsig import SigningKey, VerificationKey

DATA = b"signing string"
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA512_INFO = bytes.fromhex("3051300d060960864801650304020305000440")
HASH = sha256(DATA).digest()
RIGHT = SHA256_INFO + HASH
WITHOUT_NULL = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + HASH


def padded(signed: bytes, *, block: bytes = b"\x01", fill: bytes = b"\xff") -> bytes:
    return b"\x00" + block + fill * (256 - 3 - len(signed)) + b"\x00" + signed


ENCODED = {
    "octets after the hash": padded(RIGHT + b"\x00"),
    "padding cut short, octets after the hash": (
        b"\x00\x01" + b"\xff" * 8 + b"\x00" + RIGHT + b"\x00" * (256 - 11 - len(RIGHT))
    ),
    "parameters left out": padded(WITHOUT_NULL),
    "the bare hash": padded(HASH),
    "nothing": padded(b""),
    "another hash": padded(SHA512_INFO + sha512(DATA).digest()),
    "the name of another hash": padded(SHA512_INFO + HASH),
    "the hash of other data": padded(SHA256_INFO + sha256(b"other").digest()),
    "padding of another octet": padded(RIGHT, fill=b"\xfe"),
    "a block of encryption": padded(RIGHT, block=b"\x02"),
    "no leading zero": b"\x01" + padded(RIGHT)[1:],
}


def private_key(key: SigningKey) -> RSAPrivateKey:
    assert isinstance(key.private_key, RSAPrivateKey)
    return key.private_key


def raw_signature(key: SigningKey, encoded: bytes) -> bytes:
    """Apply the private key to octets, whatever they are."""
    numbers = private_key(key).private_numbers()
    number = int.from_bytes(encoded) % numbers.public_numbers.n
    return pow(number, numbers.d, numbers.public_numbers.n).to_bytes(256)


def says_cryptography(key: VerificationKey, signature: bytes) -> bool:
    try:
        key.public_key.verify(signature, DATA, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def test_the_right_octets_are_a_signature(rsa_key: SigningKey) -> None:
    signature = raw_signature(rsa_key, padded(RIGHT))
    assert rsa_key.verification_key().verify(signature, DATA)
    assert signature == rsa_key.sign(DATA)


@pytest.mark.parametrize("encoded", ENCODED.values(), ids=ENCODED)
def test_octets_that_are_not_exactly_right_are_refused(rsa_key: SigningKey, encoded: bytes) -> None:
    key, signature = rsa_key.verification_key(), raw_signature(rsa_key, encoded)
    assert len(encoded) == 256
    assert not key.verify(signature, DATA)
    assert not says_cryptography(key, signature)


def other_writings(key: SigningKey) -> Iterator[bytes]:
    """Yield the number of a good signature in other lengths, and with the modulus added."""
    signature = key.sign(DATA)
    modulus = private_key(key).public_key().public_numbers().n
    yield b"\x00" + signature
    yield (int.from_bytes(signature) + modulus).to_bytes(257)
    yield bytes(256)
    yield modulus.to_bytes(256)
    yield (modulus - 1).to_bytes(256)


def test_a_signature_has_one_writing(rsa_key: SigningKey) -> None:
    key = rsa_key.verification_key()
    for signature in other_writings(rsa_key):
        assert not key.verify(signature, DATA)
        assert not says_cryptography(key, signature)


def test_a_signature_keeps_its_leading_zero(rsa_key: SigningKey) -> None:
    key = rsa_key.verification_key()
    texts = (b"%d" % number for number in range(100_000))
    text, signature = next((t, s) for t in texts if (s := rsa_key.sign(t))[0] == 0)
    assert key.verify(signature, text)
    assert not key.verify(signature[1:], text)
