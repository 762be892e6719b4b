"""What a message says of its algorithm: it may agree with the key, or be refused."""

from collections.abc import Mapping
from typing import Final

from enrol.httpsig.crypto import Primitive, VerificationKey
from enrol.httpsig.errors import SignatureError

LABELS: Final[dict[str, tuple[Primitive, ...]]] = {
    "hs2019": tuple(Primitive),
    "rsa-sha256": (Primitive.RSA_PKCS1V15_SHA256,),
    "rsa-sha512": (Primitive.RSA_PKCS1V15_SHA512,),
    "ecdsa-sha256": (Primitive.ECDSA_P256_SHA256_DER, Primitive.ECDSA_P256_SHA256_RAW),
}
"""Labels of draft-cavage, and rsa-sha512, which banks use though no registry has it (ALG-1)."""

_BROKEN: Final = frozenset({"rsa-sha1", "dsa-sha1"})
_TIMES: Final = frozenset({"(created)", "(expires)"})

_ALGS: Final = {
    Primitive.RSA_PKCS1V15_SHA256: "rsa-v1_5-sha256",
    Primitive.RSA_PSS_SHA512: "rsa-pss-sha512",
    Primitive.ECDSA_P256_SHA256_RAW: "ecdsa-p256-sha256",
    Primitive.ECDSA_P384_SHA384_RAW: "ecdsa-p384-sha384",
    Primitive.ED25519: "ed25519",
}
"""Algorithms of RFC 9421 §6.2.2 that are allowed; never hmac-sha256 (M-ALG)."""


def check_label(
    label: str | None,
    covered: tuple[str, ...],
    primitive: Primitive,
    aliases: Mapping[str, str],
) -> None:
    """Refuse a label of draft-cavage that is unknown, broken or contradicts the key's primitive.

    Raises `SignatureError` with ALG-1, ALG-3, ALG-4 or ALG-9.
    """
    if label is None:
        return
    primitives = LABELS.get(label)
    if primitives is None:
        label = aliases.get(label, label)
        primitives = LABELS.get(label)
    if primitives is None:
        raise SignatureError("ALG-4" if label in _BROKEN or label[:5] == "hmac-" else "ALG-1")
    if primitive not in primitives:
        raise SignatureError("ALG-3")
    if label != "hs2019" and not _TIMES.isdisjoint(covered):
        raise SignatureError("ALG-9")


def usual_label(primitive: Primitive) -> str | None:
    """Return the label to write for a primitive; only PKCS#1 v1.5 with SHA-256 has one."""
    return "rsa-sha256" if primitive is Primitive.RSA_PKCS1V15_SHA256 else None


def message_key(alg: str | None, key: VerificationKey) -> VerificationKey:
    """Return the key as RFC 9421 uses it.

    Raises `SignatureError` with M-ALG when `alg` contradicts the key, or the key has no algorithm.
    """
    key = key.for_rfc9421()
    if alg not in {None, message_algorithm(key.primitive)}:
        raise SignatureError("M-ALG")
    return key


def message_algorithm(primitive: Primitive) -> str:
    """Return the name RFC 9421 has for a primitive; `SignatureError` with M-ALG if it has none."""
    name = _ALGS.get(primitive)
    if name is None:
        raise SignatureError("M-ALG")
    return name
