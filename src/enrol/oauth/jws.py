"""Signed texts in compact form: read strictly, then verified with known keys (RFC 7515 §7.1).

The algorithm is one of an allow-list and fits the key; what a header says of keys besides their
name is never looked at (RFC 8725 §3.1, §3.10).
"""

import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key
from joserfc.util import urlsafe_b64decode

from enrol.errors import ClientMetadataError
from enrol.oauth.strict_json import parse_json_object

ALGORITHMS: Final = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "Ed25519": "Ed25519",
}
"""What can be allowed, and the kind of key each takes; no secret is ever shared (RFC 7518 §3.1)."""

LONGEST: Final = 32_768
MOST_KEYS: Final = 64
_COMPACT: Final = re.compile(r"([\w-]+)\.([\w-]+)\.([\w-]+)", re.ASCII)
_PUBLIC: Final = ("kty", "n", "e", "crv", "x", "y")
_RSA_BITS: Final = range(2048, 8192 + 1)
_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


class JwsFault(StrEnum):
    """Why a text is not believed."""

    MALFORMED = "malformed"
    CRITICAL = "critical"
    TYPE = "type"
    ALGORITHM = "algorithm"
    KEY = "key"
    SIGNATURE = "signature"


class JwsError(Exception):
    """A text is not believed; who asked says in the words of its own what follows."""

    def __init__(self, fault: JwsFault) -> None:
        super().__init__(fault)
        self.fault = fault


class JwsKey(msgspec.Struct, frozen=True):
    """A public key that may verify; `kind` as in `ALGORITHMS`, `alg` where it is for one alone."""

    key: RSAKey | ECKey | OKPKey
    kind: str
    kid: str | None = None
    alg: str | None = None


class UnverifiedJws(msgspec.Struct, frozen=True):
    """A text as it was read: its header's members, and the bytes it is about."""

    text: str
    alg: str
    kid: str | None
    typ: str | None
    is_critical: bool
    payload: bytes


def parse_jws(text: str) -> UnverifiedJws:
    """Return the parts of a compact text, of which there is one reading; nothing is believed.

    Raises `JwsError` ``MALFORMED``.
    """
    match = _COMPACT.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise JwsError(JwsFault.MALFORMED)
    try:
        header, payload, _ = (urlsafe_b64decode(part.encode()) for part in match.groups())
        members = parse_json_object(header)
    except (ValueError, ClientMetadataError) as exc:
        raise JwsError(JwsFault.MALFORMED) from exc
    alg, kid, typ = members.get("alg"), members.get("kid"), members.get("typ")
    if not isinstance(alg, str) or not all(
        each is None or isinstance(each, str) for each in (kid, typ)
    ):
        raise JwsError(JwsFault.MALFORMED)
    return UnverifiedJws(text, alg, _text(kid), _text(typ), "crit" in members, payload)


def verify_jws(
    unverified: UnverifiedJws,
    keys: Collection[JwsKey],
    *,
    algorithms: Collection[str],
    types: Collection[str] = ("jwt",),
) -> JwsKey:
    """Return the key that made the signature; then `payload` is what its holder said.

    1. nothing is marked as critical, as nothing is understood beyond RFC 7515 (§4.1.11);
    2. ``typ``, where it is there, is one of `types`, in small letters, without ``application/``;
    3. the algorithm is allowed, and no key of a secret is ever taken for it;
    4. one key has the name and the kind; without a name, the only one of the kind;
    5. its signature is over the very text.

    Raises `JwsError`.
    """
    if unverified.is_critical:  # (1)
        raise JwsError(JwsFault.CRITICAL)
    if not _is_of(unverified.typ, types):  # (2)
        raise JwsError(JwsFault.TYPE)
    if unverified.alg not in algorithms or unverified.alg not in ALGORITHMS:  # (3)
        raise JwsError(JwsFault.ALGORITHM)
    key = _choose(unverified, keys)  # (4)
    try:
        jws.deserialize_compact(unverified.text, key.key, registry=_Registry.of(unverified.alg))
    except (JoseError, ValueError) as exc:  # (5)
        raise JwsError(JwsFault.SIGNATURE) from exc
    return key


def read_key_set(document: bytes) -> tuple[JwsKey, ...]:
    """Return the keys of a key set (RFC 7517 §5) that can verify; others are left out.

    Raises `JwsError` ``KEY`` where there is none, where two have the same name, or where a private
    or a secret key stands in it.
    """
    try:
        members = parse_json_object(document).get("keys")
    except ClientMetadataError as exc:
        raise JwsError(JwsFault.KEY) from exc
    listed = members if isinstance(members, list) and len(members) <= MOST_KEYS else []
    found = [_key_of_jwk(each) for each in listed if isinstance(each, dict)]
    keys = tuple([key for key in found if key is not None])
    names = [key.kid for key in keys if key.kid is not None]
    if not keys or len(set(names)) != len(names):
        raise JwsError(JwsFault.KEY)
    return keys


def key_of(public_key: PublicKeyTypes, *, kid: str | None, alg: str | None = None) -> JwsKey | None:
    """Return a key as one that verifies, None where it is too weak or of a kind not offered."""
    pem = public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    match public_key:
        case RSAPublicKey():
            numbers = public_key.public_numbers()
            if public_key.key_size not in _RSA_BITS or numbers.e < 65537 or numbers.e % 2 == 0:
                return None
            return JwsKey(RSAKey.import_key(pem), "RSA", kid, alg)
        case EllipticCurvePublicKey() if public_key.curve.name in _CURVES:
            return JwsKey(ECKey.import_key(pem), _CURVES[public_key.curve.name], kid, alg)
        case Ed25519PublicKey():
            return JwsKey(OKPKey.import_key(pem), "Ed25519", kid, alg)
        case _:
            return None


def write_key(key: JwsKey) -> bytes:
    """Return a key as a JWK, for those who verify again later."""
    named = {"kid": key.kid, "alg": key.alg}
    members = key.key.as_dict(private=False) | {n: v for n, v in named.items() if v is not None}
    return msgspec.json.encode(members, order="sorted")


def _key_of_jwk(members: Mapping[str, object]) -> JwsKey | None:
    """Return the key in a JWK; None for one that is not to verify, or of another kind."""
    if "d" in members or "k" in members:
        raise JwsError(JwsFault.KEY)
    use, operations = members.get("use", "sig"), members.get("key_ops", ["verify"])
    kid, alg = members.get("kid"), members.get("alg")
    if use != "sig" or not isinstance(operations, list) or "verify" not in operations:
        return None
    if not all(each is None or isinstance(each, str) for each in (kid, alg)):
        return None
    public: dict[str, str | list[str]] = {
        name: str(members[name]) for name in _PUBLIC if name in members
    }
    if public.get("kty") == "RSA" and len(public.get("n", "")) * 6 < _RSA_BITS.start:
        return None  # the library warns of what it reads
    try:
        read = import_key(public)
    except (JoseError, ValueError, KeyError, UnsupportedAlgorithm):
        return None
    if isinstance(read, OctKey):
        return None
    return key_of(read.public_key, kid=_text(kid), alg=_text(alg))


def _choose(unverified: UnverifiedJws, keys: Collection[JwsKey]) -> JwsKey:
    """Return the one key that a text can have been signed with."""
    kind = ALGORITHMS[unverified.alg]
    fitting = [
        key
        for key in keys
        if key.kind == kind
        and key.alg in (None, unverified.alg)
        and (unverified.kid is None or key.kid == unverified.kid)
    ]
    if len(fitting) != 1:
        raise JwsError(JwsFault.KEY)
    return fitting[0]


def _is_of(typ: str | None, types: Collection[str]) -> bool:
    return typ is None or typ.lower().removeprefix("application/") in types


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class _Registry(jws.JWSRegistry):
    """One algorithm, and the sizes that `LONGEST` leaves to a header and a payload."""

    max_header_length = LONGEST
    max_payload_length = LONGEST
    max_signature_length = 2048

    @classmethod
    def of(cls, alg: str) -> "_Registry":
        return cls(algorithms=[alg], strict_check_header=False)
