"""The mistakes clients make in the arithmetic: padding, salt, hash, and encoding of a signature."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, Hash, HashAlgorithm

from enrol.httpsig.crypto import VerificationKey

_HASHES: Final = (SHA256(), SHA512(), SHA384(), SHA1())  # noqa: S303 - a mistake to look for

Attempt = Callable[[bytes], str | None]


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A way to sign that is not the key's own, and the name of the mistake.

    `attempt` takes a text and says how exactly the signature is over it in this way, or None.
    """

    name: str
    attempt: Attempt


def other_ways(signature: bytes, key: VerificationKey) -> Iterator[OtherWay]:
    """Yield the ways in which the owner of a key may have made a signature by mistake."""
    match key.public_key:
        case RSAPublicKey() as public_key:
            yield from _rsa_ways(signature, public_key, is_pss="pss" in key.primitive)
        case EllipticCurvePublicKey() as public_key:
            yield from _ecdsa_ways(signature, public_key, is_raw=key.primitive.endswith("-raw"))
    yield OtherWay("signature-backwards", _backwards(signature, key))


def made_with(signature: bytes, key: VerificationKey) -> bool | None:
    """Say whether a signature is the key's, over whatever text; None where that cannot be seen.

    PKCS#1 v1.5 shows it: its padding can be read without the text.
    """
    if not isinstance(key.public_key, RSAPublicKey) or "pss" in key.primitive:
        return None
    for algorithm in _HASHES:
        try:
            key.public_key.recover_data_from_signature(signature, PKCS1v15(), algorithm)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            continue
        return True
    return False


def _rsa_ways(signature: bytes, key: RSAPublicKey, *, is_pss: bool) -> Iterator[OtherWay]:
    for algorithm in _HASHES:
        name = "pkcs1v15-for-pss" if is_pss else "other-hash"
        yield OtherWay(name, _pkcs1v15(signature, key, algorithm))
        yield OtherWay("digest-info-missing", _bare_hash(signature, key, algorithm))
        for mask in (algorithm, *_HASHES[3:]):
            is_usual = isinstance(algorithm, SHA512) and mask is algorithm
            name = ("pss-salt" if is_usual else "pss-hash") if is_pss else "pss-for-pkcs1v15"
            yield OtherWay(name, _pss(signature, key, algorithm, mask))


def _ecdsa_ways(
    signature: bytes, key: EllipticCurvePublicKey, *, is_raw: bool
) -> Iterator[OtherWay]:
    width = (key.curve.key_size + 7) // 8
    encoded: dict[bool, bytes] = {False: signature}
    if len(signature) == 2 * width:
        r, s = signature[:width], signature[width:]
        encoded[True] = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
    for other_is_raw, der in encoded.items():
        for algorithm in _HASHES:
            if other_is_raw is is_raw:
                name = "other-hash"
            else:
                name = "ecdsa-raw-for-der" if other_is_raw else "ecdsa-der-for-raw"
            yield OtherWay(name, _ecdsa(der, key, algorithm))


def _pkcs1v15(signature: bytes, key: RSAPublicKey, algorithm: HashAlgorithm) -> Attempt:
    def attempt(text: bytes) -> str | None:
        good = _accepts(lambda: key.verify(signature, text, PKCS1v15(), algorithm))
        return f"PKCS#1 v1.5 with {algorithm.name}" if good else None

    return attempt


def _bare_hash(signature: bytes, key: RSAPublicKey, algorithm: HashAlgorithm) -> Attempt:
    """Attempt PKCS#1 v1.5 over the hash alone, without what says which hash it is."""
    try:
        signed = key.recover_data_from_signature(signature, PKCS1v15(), None)
    except (InvalidSignature, ValueError):
        return lambda text: None  # noqa: ARG005 - an `Attempt`

    def attempt(text: bytes) -> str | None:
        hashed = Hash(algorithm)
        hashed.update(text)
        return f"{algorithm.name} alone" if hashed.finalize() == signed else None

    return attempt


def _pss(
    signature: bytes, key: RSAPublicKey, algorithm: HashAlgorithm, mask: HashAlgorithm
) -> Attempt:
    def accepts(text: bytes, salt: object) -> bool:
        padding = PSS(MGF1(mask), salt)  # type: ignore[arg-type] # an int, or PSS.AUTO
        return _accepts(lambda: key.verify(signature, text, padding, algorithm))

    def attempt(text: bytes) -> str | None:
        if not accepts(text, PSS.AUTO):
            return None
        longest = key.key_size // 8 - algorithm.digest_size
        salt = next((n for n in range(longest) if accepts(text, n)), None)
        return f"PSS with {algorithm.name}, MGF1 with {mask.name}, a salt of {salt} octets"

    return attempt


def _ecdsa(der: bytes, key: EllipticCurvePublicKey, algorithm: HashAlgorithm) -> Attempt:
    def attempt(text: bytes) -> str | None:
        good = _accepts(lambda: key.verify(der, text, ECDSA(algorithm)))
        return f"ECDSA with {algorithm.name}" if good else None

    return attempt


def _backwards(signature: bytes, key: VerificationKey) -> Attempt:
    return lambda text: "octets reversed" if key.verify(signature[::-1], text) else None


def _accepts(verify: Callable[[], None]) -> bool:
    try:
        verify()
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True
