"""The mistakes clients make with Digest: another body was hashed, or the hash is miswritten."""

import json
import zlib
from base64 import b64decode
from binascii import Error, unhexlify
from collections.abc import Iterator
from hashlib import sha256, sha512
from itertools import product
from typing import Final

from enrol.httpsig.digest import check_digest, content_digest_value, digest_value
from enrol.httpsig.explain.findings import code_of
from enrol.httpsig.explain.report import Mistake
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.octets import encode_base64

_LONGEST: Final = 1 << 20
"""Octets a body may have to be written in other ways, and to be unpacked to."""

_FORMS: Final[tuple[tuple[str, str, int | None, tuple[str, str]], ...]] = (
    ("json-compact", "without blanks", None, (",", ":")),
    ("json-spaced", "with a blank after each comma and colon", None, (", ", ": ")),
    ("json-indented", "indented by 2", 2, (",", ": ")),
    ("json-indented", "indented by 4", 4, (",", ": ")),
)
_SENTENCES: Final = {
    "json-compact": "The digest is that of the same JSON without blanks: hash what is sent.",
    "json-spaced": "The digest is that of the same JSON with blanks: hash what is sent.",
    "json-indented": "The digest is that of the same JSON indented: hash what is sent.",
    "json-sorted": "The digest is that of the same JSON with sorted members: hash what is sent.",
    "line-end-of-body": "The digest is that of the body with another end of lines, or without.",
    "empty-body": "The digest is that of an empty body: hash what is sent.",
    "content-coding": "The digest is that of the body before it was compressed: hash what is sent.",
    "digest-hex": "The digest is right and written in hexadecimal: write it in base64.",
    "digest-base64": "The digest is right and not in canonical base64: use the standard alphabet, "
    "padded.",
    "digest-name": "The digest is right and its algorithm miswritten: write SHA-256 or SHA-512.",
}


def digest_mistakes(message: HttpMessage) -> Iterator[Mistake]:
    """Yield the mistakes that explain why Digest or Content-Digest is not that of the body."""
    value = message.combined(b"digest")
    if value is not None and code_of(check_digest, value, message.body) is not None:
        miswritten = tuple(_miswritten(value.decode("latin-1"), message.body))
        if miswritten:
            yield from miswritten
            return
    stated = [field for field in (value, message.combined(b"content-digest")) if field]
    for name, detail, body in other_bodies(message.body):
        if body != message.body and any(_states(field, body) for field in stated):
            yield Mistake(name, _SENTENCES[name], detail)
            return


def other_bodies(body: bytes) -> Iterator[tuple[str, str | None, bytes]]:
    """Yield what a client may have hashed instead of a body: mistake, detail, octets."""
    if body:
        yield "empty-body", None, b""
    if len(body) > _LONGEST:
        return
    yield "line-end-of-body", "with a line feed more", body + b"\n"
    yield "line-end-of-body", "without line ends at its end", body.rstrip(b"\r\n")
    yield "line-end-of-body", "with CR LF between lines", _unix(body).replace(b"\n", b"\r\n")
    yield "line-end-of-body", "with LF between lines", _unix(body)
    yield "line-end-of-body", "without line ends", _unix(body).replace(b"\n", b"")
    unpacked = _unpacked(body)
    if unpacked is not None:
        yield "content-coding", None, unpacked
    yield from _rewritten(body)


def _rewritten(body: bytes) -> Iterator[tuple[str, str | None, bytes]]:
    """Yield the same JSON as other writers write it; what is nested too deeply is left alone."""
    try:
        document = json.loads(body)
        for form, sort, escape in product(_FORMS, (False, True), (False, True)):
            name, detail, indent, separators = form
            octets = _written(document, indent, separators, sort=sort, escape=escape)
            said = f"{detail}, members sorted" if sort else detail
            for end in (b"", b"\n"):
                yield ("json-sorted" if sort else name), said, octets + end
                slashed = octets.replace(b"/", b"\\/") + end
                yield ("json-sorted" if sort else name), f"{said}, slashes escaped", slashed
    except (ValueError, RecursionError):
        return


def _written(
    document: object, indent: int | None, separators: tuple[str, str], *, sort: bool, escape: bool
) -> bytes:
    text = json.dumps(
        document, indent=indent, separators=separators, sort_keys=sort, ensure_ascii=escape
    )
    return text.encode("utf-8", "surrogatepass")


def _miswritten(value: str, body: bytes) -> Iterator[Mistake]:
    """Yield the mistake in a value of Digest whose hash is right."""
    right = {sha256(body).digest(), sha512(body).digest()}
    for element in value.split(","):
        name, _, text = element.strip().partition("=")
        text = text.strip(' \t":')
        hashed = _lenient(text)
        if _hexadecimal(text) in right or (hashed is not None and _hexadecimal(hashed) in right):
            yield Mistake("digest-hex", _SENTENCES["digest-hex"])
        elif hashed in right and hashed is not None:
            written = element.strip().partition("=")[2] == encode_base64(hashed)
            known = name.lower() == f"sha-{len(hashed) * 8}"
            if not written or not known:
                mistake = "digest-name" if written else "digest-base64"
                yield Mistake(mistake, _SENTENCES[mistake])


def _states(field: bytes, body: bytes) -> bool:
    """Say whether a field states the digest of a body."""
    return any(
        value.partition("=")[2].encode() in field
        for algorithm in ("SHA-256", "SHA-512")
        for value in (
            digest_value(body, algorithm),
            content_digest_value(body, algorithm.lower()),
        )
    )


def _lenient(text: str) -> bytes | None:
    """Return the octets behind any base64."""
    standard = text.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(standard + "=" * (-len(standard) % 4))
    except ValueError:
        return None


def _hexadecimal(text: str | bytes) -> bytes | None:
    try:
        return unhexlify(text)
    except (Error, ValueError):
        return None


def _unix(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n")


def _unpacked(body: bytes) -> bytes | None:
    """Return what a body is unpacked to by gzip or deflate, if it is not too long."""
    try:
        unpacking = zlib.decompressobj(zlib.MAX_WBITS | 32)
        return unpacking.decompress(body, _LONGEST) if body else None
    except zlib.error:
        return None
