"""Where the sandbox's keys come from: chance, or a seed that always gives the same ones."""

import base64
import math
import secrets
from collections import Counter
from functools import cache
from hashlib import shake_256
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

RSA_BITS = 2048
_EXPONENT = 65537
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SIEVE_LIMIT = 8192
_SIEVE_LENGTH = 16384  # odd candidates; a prime of 1024 bits comes every 355 or so
_ROUNDS = 7


class KeySource(Protocol):
    """Gives keys, serial numbers and secrets; `label` says what each is for."""

    def rsa_key(self, label: str, bits: int = RSA_BITS) -> rsa.RSAPrivateKey:
        """Return a new RSA key with exponent 65537."""

    def ec_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Return a new key on P-256."""

    def serial_number(self, label: str) -> int:
        """Return a certificate serial number of at most 159 bits (RFC 5280 §4.1.2.2)."""

    def secret(self, label: str) -> str:
        """Return 32 bytes as base64url text without padding."""


class RandomKeys:
    """Keys nobody can foresee: what a sandbox has unless a seed is given."""

    def rsa_key(self, label: str, bits: int = RSA_BITS) -> rsa.RSAPrivateKey:  # noqa: ARG002 - the label is for seeds
        """Return a new RSA key with exponent 65537."""
        return rsa.generate_private_key(_EXPONENT, bits)

    def ec_key(self, label: str) -> ec.EllipticCurvePrivateKey:  # noqa: ARG002 - the label is for seeds
        """Return a new key on P-256."""
        return ec.generate_private_key(ec.SECP256R1())

    def serial_number(self, label: str) -> int:  # noqa: ARG002 - the label is for seeds
        """Return a random serial number."""
        return x509.random_serial_number()

    def secret(self, label: str) -> str:  # noqa: ARG002 - the label is for seeds
        """Return 32 random bytes as base64url text without padding."""
        return secrets.token_urlsafe(32)


class SeededKeys:
    """Keys anybody can repeat, for tests only: the same seed and label give the same key.

    A label used again gives the next key of its own sequence, so no two are alike.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._uses: Counter[str] = Counter()

    def rsa_key(self, label: str, bits: int = RSA_BITS) -> rsa.RSAPrivateKey:
        """Return the RSA key of this seed and label."""
        stream = self._stream(f"rsa/{bits}/{label}")
        p = _prime_from(stream[: bits // 16], bits // 2)
        q = _prime_from(stream[bits // 16 : bits // 8], bits // 2)
        p, q = max(p, q), min(p, q)
        d = pow(_EXPONENT, -1, math.lcm(p - 1, q - 1))
        return rsa.RSAPrivateNumbers(
            p=p,
            q=q,
            d=d,
            dmp1=d % (p - 1),
            dmq1=d % (q - 1),
            iqmp=pow(q, -1, p),
            public_numbers=rsa.RSAPublicNumbers(_EXPONENT, p * q),
        ).private_key()

    def ec_key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Return the P-256 key of this seed and label."""
        number = int.from_bytes(self._stream(f"ec/{label}")[:40])
        return ec.derive_private_key(1 + number % (_P256_ORDER - 1), ec.SECP256R1())

    def serial_number(self, label: str) -> int:
        """Return the serial number of this seed and label."""
        return 1 + (int.from_bytes(self._stream(f"serial/{label}")[:20]) >> 1)

    def secret(self, label: str) -> str:
        """Return the secret of this seed and label."""
        return base64.urlsafe_b64encode(self._stream(f"secret/{label}")[:32]).rstrip(b"=").decode()

    def _stream(self, label: str) -> bytes:
        """Return 1024 bytes, new ones each time a label is used."""
        use = self._uses[label]
        self._uses[label] += 1
        return shake_256(f"enrol-sandbox/{self._seed}/{label}/{use}".encode()).digest(1024)


@cache
def _small_primes() -> tuple[int, ...]:
    """Return the odd primes below the sieve limit."""
    composite = bytearray(_SIEVE_LIMIT)
    for number in range(3, math.isqrt(_SIEVE_LIMIT) + 1, 2):
        composite[number * number :: number] = b"\1" * len(composite[number * number :: number])
    return tuple(number for number in range(3, _SIEVE_LIMIT, 2) if not composite[number])


def _prime_from(start: bytes, bits: int) -> int:
    """Return the first prime from `start` on whose predecessor has no common factor with 65537.

    The two highest bits are set, so the product of two such primes has twice as many bits.
    """
    first = int.from_bytes(start) | (3 << (bits - 2)) | 1
    composite = bytearray(_SIEVE_LENGTH)  # entry i stands for first + 2 * i
    for prime in _small_primes():
        offset = (-first * (prime + 1) // 2) % prime  # (prime + 1) / 2 is the inverse of 2
        composite[offset::prime] = b"\1" * len(composite[offset::prime])
    for index, struck in enumerate(composite):
        candidate = first + 2 * index
        if not struck and candidate % _EXPONENT != 1 and _is_prime(candidate):
            return candidate
    raise AssertionError("no prime in reach")  # 16384 candidates in a row: it does not happen


def _is_prime(number: int) -> bool:
    """State whether `number` passes Miller-Rabin to 2 and the first odd primes."""
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in (2, *_small_primes()[:_ROUNDS]):
        power = pow(base, odd, number)
        if power in {1, number - 1}:
            continue
        for _ in range(twos - 1):
            power = pow(power, 2, number)
            if power == number - 1:
                break
        else:
            return False
    return True
