"""Keys with the one primitive stored for each: it is never taken from a message, never tried."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256, sha512
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from enrol.httpsig.errors import SignatureError

MINIMUM_RSA_BITS: Final = 2048
MAXIMUM_RSA_BITS: Final = 8192


class Primitive(StrEnum):
    """A signature primitive with everything that must be agreed: hash, padding, encoding."""

    RSA_PKCS1V15_SHA256 = "rsa-pkcs1v15-sha256"
    RSA_PKCS1V15_SHA512 = "rsa-pkcs1v15-sha512"
    RSA_PSS_SHA512 = "rsa-pss-sha512"
    """Salt of exactly 64 octets, MGF1 with SHA-512 (RFC 9421 §3.3.1)."""
    ECDSA_P256_SHA256_DER = "ecdsa-p256-sha256-der"
    ECDSA_P256_SHA256_RAW = "ecdsa-p256-sha256-raw"
    """r and s side by side, 32 octets each (RFC 9421 §3.3.4)."""
    ECDSA_P256_SHA512_DER = "ecdsa-p256-sha512-der"
    """What the text of draft-cavage-12 means by hs2019 on P-256."""
    ECDSA_P384_SHA384_DER = "ecdsa-p384-sha384-der"
    ECDSA_P384_SHA384_RAW = "ecdsa-p384-sha384-raw"
    ECDSA_P521_SHA512_DER = "ecdsa-p521-sha512-der"
    ED25519 = "ed25519"

    @property
    def family(self) -> str:
        """Return ``rsa``, ``ecdsa`` or ``ed25519``."""
        return self.value.partition("-")[0]


@dataclass(frozen=True, slots=True)
class _Ecdsa:
    """An ECDSA scheme; `width` is the octets of r and of s side by side, or 0 for DER."""

    curve: type[EllipticCurve]
    algorithm: ECDSA
    width: int


_PKCS1V15: Final = PKCS1v15()
_RSA: Final[dict[Primitive, tuple[AsymmetricPadding, HashAlgorithm]]] = {
    Primitive.RSA_PKCS1V15_SHA256: (_PKCS1V15, SHA256()),
    Primitive.RSA_PKCS1V15_SHA512: (_PKCS1V15, SHA512()),
    Primitive.RSA_PSS_SHA512: (PSS(MGF1(SHA512()), 64), SHA512()),
}
_DIGEST_INFO: Final = {
    "sha256": (sha256, bytes.fromhex("3031300d060960864801650304020105000420")),
    "sha512": (sha512, bytes.fromhex("3051300d060960864801650304020305000440")),
}
"""A hash function, and what PKCS#1 v1.5 signs before its hash (RFC 8017 §9.2, note 1)."""

_ECDSA: Final[dict[Primitive, _Ecdsa]] = {
    Primitive.ECDSA_P256_SHA256_DER: _Ecdsa(SECP256R1, ECDSA(SHA256()), 0),
    Primitive.ECDSA_P256_SHA256_RAW: _Ecdsa(SECP256R1, ECDSA(SHA256()), 32),
    Primitive.ECDSA_P256_SHA512_DER: _Ecdsa(SECP256R1, ECDSA(SHA512()), 0),
    Primitive.ECDSA_P384_SHA384_DER: _Ecdsa(SECP384R1, ECDSA(SHA384()), 0),
    Primitive.ECDSA_P384_SHA384_RAW: _Ecdsa(SECP384R1, ECDSA(SHA384()), 48),
    Primitive.ECDSA_P521_SHA512_DER: _Ecdsa(SECP521R1, ECDSA(SHA512()), 0),
}
_RAW: Final = {
    Primitive.ECDSA_P256_SHA256_DER: Primitive.ECDSA_P256_SHA256_RAW,
    Primitive.ECDSA_P384_SHA384_DER: Primitive.ECDSA_P384_SHA384_RAW,
}
_DEFAULT_ECDSA: Final = {
    "secp256r1": Primitive.ECDSA_P256_SHA256_DER,
    "secp384r1": Primitive.ECDSA_P384_SHA384_DER,
    "secp521r1": Primitive.ECDSA_P521_SHA512_DER,
}


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key and the primitive it verifies.

    Raises `SignatureError` with code ALG-8 when the key is too weak or of a kind not offered, and
    ALG-3 when the primitive is not one of the key's kind.
    """

    public_key: PublicKeyTypes
    primitive: Primitive
    verify: Callable[[bytes, bytes], bool] = field(init=False, repr=False, compare=False)
    """Say whether the first octets are this key's signature over the second."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "verify", _verifier(self.public_key, self.primitive))

    def for_rfc9421(self) -> "VerificationKey":
        """Return the key as RFC 9421 uses it: ECDSA signatures are r and s side by side."""
        if self.primitive not in _RAW:
            return self
        return VerificationKey(self.public_key, _RAW[self.primitive])


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the primitive it signs with; weak keys are refused as for verifying."""

    private_key: PrivateKeyTypes
    primitive: Primitive

    def __post_init__(self) -> None:
        _verifier(_public(self.private_key), self.primitive)

    def verification_key(self) -> VerificationKey:
        """Return the public half."""
        return VerificationKey(_public(self.private_key), self.primitive)

    def for_rfc9421(self) -> "SigningKey":
        """Return the key as RFC 9421 uses it: ECDSA signatures are r and s side by side."""
        if self.primitive not in _RAW:
            return self
        return SigningKey(self.private_key, _RAW[self.primitive])

    def sign(self, data: bytes) -> bytes:
        """Return the signature over `data`, in the encoding of the primitive."""
        match self.private_key:
            case RSAPrivateKey() as key:
                padding, algorithm = _RSA[self.primitive]
                return key.sign(data, padding, algorithm)
            case EllipticCurvePrivateKey() as key:
                scheme = _ECDSA[self.primitive]
                signature = key.sign(data, scheme.algorithm)
                if not scheme.width:
                    return signature
                r, s = decode_dss_signature(signature)
                return r.to_bytes(scheme.width) + s.to_bytes(scheme.width)
            case Ed25519PrivateKey() as key:
                return key.sign(data)
        raise SignatureError("ALG-8")


def verification_key(
    public_key: PublicKeyTypes, primitive: Primitive | None = None
) -> VerificationKey:
    """Return a key with its primitive; without one, the usual of its kind (ALG-5, ALG-7).

    RSA: PKCS#1 v1.5 with SHA-256; P-256, P-384, P-521: DER with the hash of that size; Ed25519.
    Raises `SignatureError` with code ALG-8 or ALG-3.
    """
    return VerificationKey(public_key, primitive or default_primitive(public_key))


def signing_key(private_key: PrivateKeyTypes, primitive: Primitive | None = None) -> SigningKey:
    """Return a private key with its primitive, chosen as `verification_key` chooses it."""
    return SigningKey(private_key, primitive or default_primitive(_public(private_key)))


def default_primitive(public_key: PublicKeyTypes) -> Primitive:
    """Return the primitive keys of this kind have when none was registered for them."""
    match public_key:
        case RSAPublicKey():
            return Primitive.RSA_PKCS1V15_SHA256
        case EllipticCurvePublicKey():
            if public_key.curve.name in _DEFAULT_ECDSA:
                return _DEFAULT_ECDSA[public_key.curve.name]
        case Ed25519PublicKey():
            return Primitive.ED25519
    raise SignatureError("ALG-8")


def _public(private_key: PrivateKeyTypes) -> PublicKeyTypes:
    return private_key.public_key()


def _verifier(public_key: PublicKeyTypes, primitive: Primitive) -> Callable[[bytes, bytes], bool]:
    """Return what verifies signatures of a key that is strong enough and fits the primitive."""
    if primitive.family != default_primitive(public_key).family:
        raise SignatureError("ALG-3")
    match public_key:
        case RSAPublicKey():
            return _rsa_verifier(public_key, primitive)
        case EllipticCurvePublicKey():
            return _ecdsa_verifier(public_key, _ECDSA[primitive])
        case Ed25519PublicKey():
            return _ed25519_verifier(public_key)
    raise SignatureError("ALG-8")


def _rsa_verifier(key: RSAPublicKey, primitive: Primitive) -> Callable[[bytes, bytes], bool]:
    exponent = key.public_numbers().e
    if not MINIMUM_RSA_BITS <= key.key_size <= MAXIMUM_RSA_BITS:
        raise SignatureError("ALG-8")
    if exponent < 65537 or exponent >= 1 << 256 or exponent % 2 == 0:
        raise SignatureError("ALG-8")
    padding, algorithm = _RSA[primitive]
    if padding is _PKCS1V15:
        return _pkcs1v15_verifier(key, algorithm)

    def verify(signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data, padding, algorithm)
        except InvalidSignature:
            return False
        return True

    return verify


def _pkcs1v15_verifier(
    key: RSAPublicKey, algorithm: HashAlgorithm
) -> Callable[[bytes, bytes], bool]:
    """Return what compares the octets that were signed with those that had to be.

    The steps are those of RFC 8017 §8.2.2, as OpenSSL takes them; taken here they cost less.
    """
    digest, prefix = _DIGEST_INFO[algorithm.name]
    length = (key.key_size + 7) // 8

    def verify(signature: bytes, data: bytes) -> bool:
        if len(signature) != length:
            return False
        try:
            signed = key.recover_data_from_signature(signature, _PKCS1V15, None)
        except InvalidSignature:
            return False
        return signed == prefix + digest(data).digest()

    return verify


def _ecdsa_verifier(key: EllipticCurvePublicKey, scheme: _Ecdsa) -> Callable[[bytes, bytes], bool]:
    if not isinstance(key.curve, scheme.curve):
        raise SignatureError("ALG-3")
    algorithm, width = scheme.algorithm, scheme.width

    def verify(signature: bytes, data: bytes) -> bool:
        try:
            der = _dss_signature(signature, width) if width else signature
            key.verify(der, data, algorithm)
        except InvalidSignature:
            return False
        return True

    return verify


def _ed25519_verifier(key: Ed25519PublicKey) -> Callable[[bytes, bytes], bool]:
    def verify(signature: bytes, data: bytes) -> bool:
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return verify


def _dss_signature(signature: bytes, width: int) -> bytes:
    if len(signature) != 2 * width:
        raise InvalidSignature
    r, s = signature[:width], signature[width:]
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
