"""The QSealC that signs for a TPP, and the JSON Web Key a bank knows it by."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate

from enrol.httpsig import Primitive, SigningKey, signing_key, usual_label
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.mtls import x5t_s256

_JWA: Final = {
    Primitive.RSA_PKCS1V15_SHA256: ("RSA", "RS256"),
    Primitive.RSA_PKCS1V15_SHA512: ("RSA", "RS512"),
    Primitive.RSA_PSS_SHA512: ("RSA", "PS512"),
    Primitive.ECDSA_P256_SHA256_DER: ("EC", "ES256"),
    Primitive.ECDSA_P256_SHA256_RAW: ("EC", "ES256"),
    Primitive.ECDSA_P256_SHA512_DER: ("EC", "ES256"),
    Primitive.ECDSA_P384_SHA384_DER: ("EC", "ES384"),
    Primitive.ECDSA_P384_SHA384_RAW: ("EC", "ES384"),
    Primitive.ECDSA_P521_SHA512_DER: ("EC", "ES512"),
    Primitive.ED25519: ("OKP", "EdDSA"),
}


@dataclass(frozen=True, slots=True)
class Seal:
    """A QSealC with its private key.

    `certificates` are DER, the QSealC first and then what it was issued by, if known. `kid` names
    the key to the bank: it is the JWK's kid and the keyId of every signature.
    """

    certificates: tuple[bytes, ...]
    key: SigningKey = field(repr=False)
    kid: str

    @property
    def algorithm_label(self) -> str | None:
        """Return the ``algorithm`` of a Signature; only PKCS#1 v1.5 has one nobody disputes."""
        return usual_label(self.key.primitive)


def make_seal(
    certificates: Sequence[Certificate], private_key: PrivateKeyTypes, *, kid: str | None = None
) -> Seal:
    """Return the seal of a QSealC and its key; `kid` is the decimal serial number by default.

    Raises `SignatureError` ALG-8 where the key is too weak or of a kind that cannot sign.
    """
    return Seal(
        tuple(certificate.public_bytes(Encoding.DER) for certificate in certificates),
        signing_key(private_key),
        kid or str(certificates[0].serial_number),
    )


def jwks_of(*seals: Seal) -> JsonWebKeySet:
    """Return the key set to register seals with: a key each, its certificates in ``x5c``."""
    return JsonWebKeySet(tuple(_jwk_of(seal) for seal in seals))


def _jwk_of(seal: Seal) -> JsonWebKey:
    kty, alg = _JWA[seal.key.primitive]
    return JsonWebKey(
        kty=kty,
        use="sig",
        alg=alg,
        kid=seal.kid,
        x5c=tuple(b64encode(der).decode("ascii") for der in seal.certificates),
        x5t_s256=x5t_s256(sha256(seal.certificates[0]).digest()),
    )
