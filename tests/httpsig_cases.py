"""Signature vectors as messages, keys and verdicts."""

import base64
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from enrol.errors import EnrolError
from enrol.httpsig import (
    HttpMessage,
    KnownKey,
    ParsedSignature,
    Primitive,
    SignatureError,
    SignaturePolicy,
    SigningKey,
    VerificationKey,
    find_key,
    parse_signature,
    signing_key,
    verification_key,
    verify_signature,
)
from vectors import SHARED

Vector = dict[str, Any]

PRIMITIVES = {
    "rsa-pkcs1v15-sha256": Primitive.RSA_PKCS1V15_SHA256,
    "rsa-pkcs1v15-sha512": Primitive.RSA_PKCS1V15_SHA512,
    "rsa-pss-sha512:64": Primitive.RSA_PSS_SHA512,
    "rsa-pss-sha512 (salt 64)": Primitive.RSA_PSS_SHA512,
    "rsa-pss-sha512": Primitive.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": Primitive.RSA_PKCS1V15_SHA256,
    "ecdsa-sha256-der": Primitive.ECDSA_P256_SHA256_DER,
    "ecdsa-sha512-der": Primitive.ECDSA_P256_SHA512_DER,
    "ecdsa-sha256-p1363": Primitive.ECDSA_P256_SHA256_RAW,
    "ecdsa-p256-sha256": Primitive.ECDSA_P256_SHA256_RAW,
    "ed25519": Primitive.ED25519,
}


@cache
def load(name: str) -> dict[str, Any]:
    """Return a file of vectors, or an empty one where there is none."""
    path = SHARED / "vectors" / "httpsig" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def cases(name: str, member: str = "vectors") -> list[Any]:
    """Return the vectors of a file as parameters named by their ids."""
    found = load(name).get(member, [])
    return [pytest.param(v, id=v.get("id", str(n))) for n, v in enumerate(found)]


def octets(request: Vector) -> bytes:
    """Return the body of a request."""
    if request.get("body_b64") is not None:
        return base64.b64decode(request["body_b64"])
    return (request.get("body") or "").encode()


def message_of(request: Vector, **changes: Any) -> HttpMessage:
    """Return a request of a vector as a message."""
    request = {**request, **changes}
    fields = [(name.encode(), value.encode()) for name, value in request["headers"]]
    return HttpMessage.of(request["method"], request["target"].encode(), fields, octets(request))


def moment(vector: Vector) -> datetime:
    """Return the frozen clock of a vector."""
    return datetime.fromtimestamp(vector["now"], UTC)


def public_key(pem: str) -> Any:
    """Return the key in a PEM of a public key or a certificate."""
    if "CERTIFICATE" in pem:
        return load_pem_x509_certificate(pem.encode()).public_key()
    return load_pem_public_key(pem.encode())


@cache
def published_key(name: str, primitive: Primitive | None = None) -> SigningKey:
    """Return the private half of a published test key."""
    pem = load("keys")["keys"][name]["private_pem"]
    return signing_key(load_pem_private_key(pem.encode(), None), primitive)


def find_known(keyid: str, known: Mapping[str, Vector]) -> VerificationKey:
    """Return the key of a file's `known_keys` that a keyId names, with the primitive stored."""
    if keyid in known and "certificate_sha256" not in known[keyid]:
        return _key(known[keyid])
    entries = [
        KnownKey(name, _key(entry), _certificate(entry))
        for name, entry in known.items()
        if "certificate_sha256" in entry
    ]
    return find_key(keyid, entries)


def _key(entry: Vector) -> VerificationKey:
    (algorithm,) = entry["algorithms"]
    return verification_key(public_key(entry["public_key_pem"]), PRIMITIVES[algorithm])


def _certificate(entry: Vector) -> bytes | None:
    for key in load("keys")["keys"].values():
        if key.get("certificate_sha256") == entry["certificate_sha256"]:
            return base64.b64decode("".join(key["certificate_pem"].split("-----")[2].split()))
    return None


def judge(vector: Vector, policy: SignaturePolicy, known: Mapping[str, Vector]) -> str | None:
    """Return the rule that refuses a request, or None when it is accepted."""
    message = message_of(vector["request"])
    try:
        parsed = parse_signature(message, policy=policy)
        key = find_known(parsed.unverified_keyid, known)
        verify_signature(message, parsed, key, at=moment(vector), policy=policy)
        check_replay(message, parsed, vector.get("state") or {})
    except EnrolError as refusal:
        return refusal.code
    return None


def check_replay(message: HttpMessage, parsed: ParsedSignature, memory: Vector) -> None:
    """Refuse what a memory has seen: the part that is the caller's (REP-1, REP-2)."""
    signature = base64.b64encode(parsed.signature).decode()
    if signature in memory.get("seen_signatures", []):
        raise SignatureError("REP-1")
    for request_id in message.values(b"x-request-id"):
        if request_id.decode() in memory.get("seen_request_ids", []):
            raise SignatureError("REP-2")


def pairs(fields: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield fields as octets."""
    for name, value in fields.items():
        yield name.encode(), value.encode()
