"""Digest (RFC 3230, RFC 5843) and Content-Digest (RFC 9530), compared with the body received."""

import re
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from hashlib import sha256, sha512
from hmac import compare_digest
from typing import Final

from msgspec import Struct

from enrol.httpsig.errors import DigestError, HygieneError
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.octets import decode_base64, encode_base64
from enrol.httpsig.structured import Item, StructuredFieldError, parse_dictionary

_LENGTHS: Final = {"sha-256": 32, "sha-512": 64}
_HASHES: Final[dict[str, Callable[[bytes], bytes]]] = {
    "sha-256": lambda body: sha256(body).digest(),
    "sha-512": lambda body: sha512(body).digest(),
}
_WEAK: Final = frozenset({"md5", "sha", "unixsum", "unixcksum", "adler32", "crc32c"})
_USUAL_LENGTH: Final = len("SHA-256=") + 44
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]++")


class VerifiedDigest(Struct, frozen=True):
    """A message whose body has every digest it states.

    `algorithms` are those that were compared, in lower case; empty when it states none.
    """

    message: HttpMessage
    algorithms: tuple[str, ...]


def digest_value(body: bytes, algorithm: str = "SHA-256") -> str:
    """Return the value of `Digest` for a body; `algorithm` is SHA-256 or SHA-512."""
    return f"{algorithm}={encode_base64(_HASHES[algorithm.lower()](body))}"


def content_digest_value(body: bytes, algorithm: str = "sha-256") -> str:
    """Return the value of `Content-Digest` for a body; `algorithm` is sha-256 or sha-512."""
    return f"{algorithm}=:{encode_base64(_HASHES[algorithm](body))}:"


def verify_digest(message: HttpMessage, *, required: bool) -> VerifiedDigest:
    """Compare every digest a message states with the octets received.

    `required` demands one: `Content-Digest` beside `Signature-Input`, else `Digest`. Raises
    `DigestError` with DIG-1 to DIG-12 and M-CD-1 to M-CD-4, `HygieneError` with HDR-11 for a
    second `Digest`.
    """
    if b"digest" in message.repeated:
        raise HygieneError("HDR-11")
    fields = message.first
    algorithms: tuple[str, ...] = ()
    if b"digest" in fields:
        algorithms = check_digest(fields[b"digest"], message.body)
    elif required and b"signature-input" not in fields:
        raise DigestError("DIG-1")
    content_digest = message.combined(b"content-digest") if b"content-digest" in fields else None
    if content_digest is not None:
        algorithms += check_content_digest(content_digest, message.body)
    elif required and b"signature-input" in fields:
        raise DigestError("M-CD-2")
    return VerifiedDigest(message, algorithms)


def check_digest(value: bytes, body: bytes) -> tuple[str, ...]:
    """Compare a value of `Digest` with a body; return the algorithms that count.

    Raises `DigestError` with DIG-3 to DIG-12.
    """
    if len(value) == _USUAL_LENGTH:
        usual = b"SHA-256=" + b2a_base64(sha256(body).digest(), newline=False)
        if compare_digest(value, usual):
            return ("sha-256",)
    digests = _elements(value)
    strong = tuple([name for name in digests if name in _LENGTHS])
    if not strong:
        raise DigestError("DIG-5" if _WEAK.isdisjoint(digests) else "DIG-6")
    for name in strong:
        if ";" in digests[name]:
            raise DigestError("DIG-12")
        stated = decode_base64(digests[name])
        if stated is None or len(stated) != _LENGTHS[name]:
            raise DigestError("DIG-7")
        if not compare_digest(stated, _HASHES[name](body)):
            raise DigestError("DIG-9")
    return strong


def check_content_digest(value: bytes, body: bytes) -> tuple[str, ...]:
    """Compare a value of `Content-Digest` with a body; return the algorithms that count.

    Raises `DigestError` with M-CD-1 to M-CD-4.
    """
    try:
        members = parse_dictionary(value)
    except StructuredFieldError:
        raise DigestError("M-CD-1") from None
    digests = dict(members)
    if len(digests) != len(members):
        raise DigestError("M-CD-4")
    strong = tuple([name for name in digests if name in _LENGTHS])
    for name, member in members:
        if not isinstance(member, Item) or not isinstance(member.value, bytes):
            raise DigestError("M-CD-1")
        if len(member.value) != _LENGTHS.get(name, len(member.value)):
            raise DigestError("M-CD-1")
    if not strong:
        raise DigestError("M-CD-2")
    for name in strong:
        _compare_member(digests, name, body)
    return strong


def _compare_member(digests: Mapping[str, object], name: str, body: bytes) -> None:
    member = digests[name]
    stated = member.value if isinstance(member, Item) else None
    if not isinstance(stated, bytes) or not compare_digest(stated, _HASHES[name](body)):
        raise DigestError("M-CD-3")


def _elements(value: bytes) -> dict[str, str]:
    """Return the elements of `Digest` by lower-case algorithm name (DIG-2, -3, -8, -11)."""
    if not value.isascii():
        raise DigestError("DIG-3")
    digests: dict[str, str] = {}
    for element in value.decode("ascii").split(","):
        name, equals, digest = element.strip(" \t").partition("=")
        if not name and not equals:
            continue
        name = name.lower()
        if not equals or not _NAME.fullmatch(name):
            raise DigestError("DIG-3")
        if name in digests:
            raise DigestError("DIG-8")
        digests[name] = digest
    if not digests:
        raise DigestError("DIG-3")
    return digests
