"""JSON Web Keys of client metadata (RFC 7517 §4, STET 1.0.5 ``JsonWebKey``)."""

import hashlib
from base64 import b64decode, b64encode, urlsafe_b64encode
from binascii import Error as BinasciiError
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from enrol.errors import ClientMetadataError, Finding

MAXIMUM_KEYS = 5
MAXIMUM_CERTIFICATES = 5
MAXIMUM_CERTIFICATE = 8192
_LONGEST_TEXT = 2 * MAXIMUM_CERTIFICATE
_PRIVATE_OR_SYMMETRIC = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_SIGNING_ALGORITHMS = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}


class JsonWebKey(msgspec.Struct, frozen=True, omit_defaults=True, rename={"x5t_s256": "x5t#S256"}):
    """One key; `x5c` holds base64 (not base64url) of DER, the key's own certificate first.

    The key is the certificate's; `n`, `e`, `crv`, `x` and `y` (RFC 7518 §6) may repeat it.
    """

    kty: str
    use: str | None = None
    key_ops: tuple[str, ...] | None = None
    alg: str | None = None
    kid: str | None = None
    x5u: str | None = None
    x5c: tuple[str, ...] | None = None
    x5t: str | None = None
    x5t_s256: str | None = None
    n: str | None = None
    e: str | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None


JWK_MEMBERS: tuple[str, ...] = JsonWebKey.__struct_encode_fields__
_PARAMETERS = ("n", "e", "crv", "x", "y")
_NOTHING = (None,) * len(_PARAMETERS)
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


class JsonWebKeySet(msgspec.Struct, frozen=True):
    """A set of keys (RFC 7517 §5)."""

    keys: tuple[JsonWebKey, ...]


def check_no_private_member(jwks: object) -> None:
    """Refuse key sets that carry private or symmetric key material (RFC 7517 §9.2).

    `jwks` is the JSON value as received. Raises `ClientMetadataError`.
    """
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    for key in keys if isinstance(keys, list) else ():
        if isinstance(key, dict) and not _PRIVATE_OR_SYMMETRIC.isdisjoint(key):
            raise ClientMetadataError(Finding("jwk_private", "jwks"))


def certificates(key: JsonWebKey) -> tuple[bytes, ...]:
    """Return the DER of each certificate in `x5c`; none where there is no `x5c`.

    Line breaks and blanks within base64 are tolerated, as real clients send them; anything else
    that is not canonical base64 is refused, and so are more than 5 certificates. Raises
    `ClientMetadataError` ``jwk_x5c``.
    """
    return _decode_all(key.x5c) if key.x5c else ()


@lru_cache(maxsize=128)  # a chain is looked at several times on its way, and comes again
def _decode_all(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    if len(texts) > MAXIMUM_CERTIFICATES or any(len(text) > _LONGEST_TEXT for text in texts):
        raise ClientMetadataError(Finding("jwk_x5c", "jwks"))
    return tuple(map(_decode, texts))


def _decode(text: str) -> bytes:
    compact = "".join(text.split())
    try:
        der = b64decode(compact, validate=True)
    except (BinasciiError, ValueError) as exc:
        raise ClientMetadataError(Finding("jwk_x5c", "jwks")) from exc
    if len(der) > MAXIMUM_CERTIFICATE or b64encode(der) != compact.encode("ascii"):
        raise ClientMetadataError(Finding("jwk_x5c", "jwks"))
    return der


def find_faults(keys: JsonWebKeySet) -> Iterator[Finding]:
    """Yield what is wrong with the form of a key set: sizes, uses, contradictions."""
    if not 1 <= len(keys.keys) <= MAXIMUM_KEYS:
        yield Finding("jwks_size", "jwks")
        return
    names = [key.kid for key in keys.keys if key.kid is not None]
    if len(set(names)) != len(names):
        yield Finding("jwk_kid_twice", "jwks")
    for key in keys.keys:
        yield from _faults(key)


def _faults(key: JsonWebKey) -> Iterator[Finding]:
    if key.kty not in _SIGNING_ALGORITHMS:
        yield Finding("jwk_kty", "jwks")
    elif key.alg is not None and key.alg not in _SIGNING_ALGORITHMS[key.kty]:
        yield Finding("jwk_alg", "jwks")
    if key.use not in (None, "sig") or key.key_ops not in (None, (), ("verify",)):
        yield Finding("jwk_use", "jwks")
    if key.kid is not None and not (
        0 < len(key.kid) <= 1024 and key.kid.isascii() and key.kid.isprintable()
    ):
        yield Finding("jwk_kid", "jwks")
    if not key.x5c:
        yield Finding("jwk_x5c_missing", "jwks")
    elif len(key.x5c) > MAXIMUM_CERTIFICATES:
        yield Finding("jwk_x5c", "jwks")
    else:
        yield from _certificate_faults(key)


def _certificate_faults(key: JsonWebKey) -> Iterator[Finding]:
    """Yield what a key says that is not so of its certificate (RFC 7517 §4.7 to §4.9)."""
    actual = _facts_of(certificates(key)[0])
    if key.x5t_s256 not in (None, actual["x5t#S256"]) or key.x5t not in (None, actual["x5t"]):
        yield Finding("jwk_thumbprint", "jwks")
    if "kty" in actual and _differs(key, actual):
        yield Finding("jwk_differs", "jwks")


def _differs(key: JsonWebKey, actual: Mapping[str, str]) -> bool:
    """Tell whether a key repeats its certificate's and gets it wrong; most keys repeat nothing."""
    if key.kty in _SIGNING_ALGORITHMS and key.kty != actual["kty"]:
        return True
    if (key.n, key.e, key.crv, key.x, key.y) == _NOTHING:
        return False
    return any(getattr(key, name) not in (None, actual.get(name)) for name in _PARAMETERS)


@lru_cache(maxsize=256)
def _facts_of(der: bytes) -> Mapping[str, str]:
    """Return the thumbprints of a certificate and its key, all as members of a JWK.

    A certificate that cannot be read has no key: whoever judges it will refuse it.
    """
    sha1 = hashlib.sha1(der).digest()  # noqa: S324 - RFC 7517 §4.8, an identifier
    return _parameters_of(der) | {
        "x5t#S256": _base64url(hashlib.sha256(der).digest()),
        "x5t": _base64url(sha1),
    }


def _parameters_of(der: bytes) -> dict[str, str]:
    """Return the key of a certificate as the members of RFC 7518 §6."""
    try:
        key = x509.load_der_x509_certificate(der).public_key()
    except (ValueError, UnsupportedAlgorithm):
        return {}
    match key:
        case rsa.RSAPublicKey():
            numbers = key.public_numbers()
            return {"kty": "RSA", "n": _encode(numbers.n), "e": _encode(numbers.e)}
        case ec.EllipticCurvePublicKey():
            size, point = (key.key_size + 7) // 8, key.public_numbers()
            crv = _CURVES.get(key.curve.name, key.curve.name)
            x, y = _encode(point.x, size), _encode(point.y, size)
            return {"kty": "EC", "crv": crv, "x": x, "y": y}
        case ed25519.Ed25519PublicKey():
            return {"kty": "OKP", "crv": "Ed25519", "x": _base64url(key.public_bytes_raw())}
        case _:
            return {}


def _encode(number: int, size: int | None = None) -> str:
    """Return the base64url of a number: of `size` octets, else of as few as hold it (RFC 7518)."""
    return _base64url(number.to_bytes(size or (number.bit_length() + 7) // 8, "big"))


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
