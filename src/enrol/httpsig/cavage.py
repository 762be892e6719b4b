"""draft-cavage-http-signatures 08 to 12: reading `Signature`, building the signing string."""

import re
from functools import lru_cache
from typing import Final

from msgspec import Struct

from enrol.httpsig.carrier import MAXIMUM_LENGTH, check_carrier
from enrol.httpsig.errors import HygieneError, SignatureError, SignatureSyntaxError
from enrol.httpsig.message import HttpMessage, check_hygiene
from enrol.httpsig.octets import decode_base64, encode_base64

_REMEMBERED: Final = 512
"""Octets before a signature, up to which their reading is remembered."""

_REMEMBERED_NAMES: Final = 16
"""Covered names, up to which the beginnings of their lines are remembered."""

_WORD: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_START: Final = rf"[ \t]*+({_WORD})[ \t]*+=[ \t]*+"
_PLAIN: Final = re.compile(rf'{_START}(?:"([^"]*+)"|({_WORD}))[ \t]*+(,|\Z)')
_ESCAPED: Final = re.compile(rf'{_START}(?:"((?:[^"\\]++|\\.)*+)"|({_WORD}))[ \t]*+(,|\Z)')
_ESCAPE: Final = re.compile(r"\\(.)")
_LAST: Final = b'signature="'
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]++")
_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,11}")
_SPECIAL: Final = frozenset({"(request-target)", "(created)", "(expires)"})


class SignatureParameters(Struct, frozen=True):
    """What a `Signature` field says of itself; nothing of it is verified.

    `headers` are the covered names in lower case and in order, empty when the list is; `created`
    and `expires` are seconds since the epoch.
    """

    unverified_keyid: str
    algorithm: str | None
    headers: tuple[str, ...]
    signature: bytes
    created: int | None = None
    expires: int | None = None


def parse_signature(message: HttpMessage) -> SignatureParameters:
    """Read the one `Signature` field of a message.

    1. the message is unambiguous (`check_hygiene`);
    2. one `Signature`, not in `Authorization`, not too long (CAR-1 to CAR-5);
    3. its parameters (PAR-1 to PAR-9);
    4. the list of covered names (HDR-1 to HDR-9).

    Raises `SignatureSyntaxError` (CAR, PAR), `HygieneError`, and `SignatureError` for PAR-6 and
    HDR: draft-cavage-12 §2.1, §2.3.
    """
    check_hygiene(message)  # (1)
    return read_signature(message)


def read_signature(message: HttpMessage) -> SignatureParameters:
    """Read the `Signature` of a message that is unambiguous: steps 2 to 4 of `parse_signature`."""
    value = _carrier(message)  # (2)
    head, last, tail = value.rpartition(_LAST)
    signature = decode_base64(tail[:-1]) if last and tail[-1:] == b'"' else None
    if not signature or len(head) > _REMEMBERED:
        return _read(value)
    keyid, algorithm, headers, created, expires = _read_head(head)
    return SignatureParameters(keyid, algorithm, headers, signature, created, expires)


def signing_string(
    message: HttpMessage,
    parameters: SignatureParameters,
    *,
    method: str | None = None,
    target: bytes | None = None,
) -> bytes:
    """Build the signing string from the bytes received (STR-1 to STR-8).

    `method` and `target` stand in for those of the message in the dialects that sign others.
    Raises `SignatureError` with HDR-7 or TIM-0, `HygieneError` with STR-8.
    """
    headers, lines = parameters.headers, []
    starts = _starts if len(headers) <= _REMEMBERED_NAMES else _starts.__wrapped__
    for start, name, special in starts(headers):
        if special is None:
            value = message.combined(name)
            if value is None:
                raise SignatureError("HDR-7")
            lines.append(start + value)
        elif special == "(request-target)":
            method_ = (method or message.method).lower().encode()
            lines.append(start + method_ + b" " + (target or message.target))
        else:
            lines.append(start + _digits(special, parameters))
    signed = b"\n".join(lines)
    if not signed.isascii():
        raise HygieneError("STR-8")
    return signed


def serialize(parameters: SignatureParameters) -> str:
    """Return the value of a `Signature` field, the times without quotes.

    Raises `SignatureSyntaxError` with PAR-1 for a keyId or label that cannot stand in a field,
    PAR-8 for an empty keyId, `SignatureError` with PAR-6 for times no field can hold.
    """
    keyid, label = parameters.unverified_keyid, parameters.algorithm
    if not keyid:
        raise SignatureSyntaxError("PAR-8")
    parts = [f'keyId="{_escaped(keyid)}"']
    if label is not None:
        parts.append(f'algorithm="{_escaped(label)}"')
    for name, seconds in (("created", parameters.created), ("expires", parameters.expires)):
        if seconds is not None:
            parts.append(f"{name}={_integer(str(seconds))}")
    parts.append(f'headers="{" ".join(parameters.headers)}"')
    parts.append(f'signature="{encode_base64(parameters.signature)}"')
    return ",".join(parts)


def parameter_values(text: str) -> dict[str, str]:
    """Read ``name=value, …`` into values by lower-case name (PAR-1 to PAR-5, PAR-7).

    Raises `SignatureSyntaxError` with PAR-1 or PAR-3.
    """
    pattern = _ESCAPED if "\\" in text else _PLAIN
    found: dict[str, str] = {}
    position, separator = 0, ","
    while separator:
        match = pattern.match(text, position)
        if match is None:
            raise SignatureSyntaxError("PAR-1")
        name, quoted, token, separator = match.groups()
        name = name.lower()
        if name in found:
            raise SignatureSyntaxError("PAR-3")
        value = token if quoted is None else quoted
        found[name] = _ESCAPE.sub(r"\1", value) if "\\" in value else value
        position = match.end()
    return found


def covered_names(text: str) -> tuple[str, ...]:
    """Return the names a `headers` parameter lists, in lower case.

    Raises `SignatureError` with HDR-4, HDR-5, HDR-8 or HDR-9.
    """
    if not text:
        return ()
    names = tuple(text.lower().split(" "))
    for name in names:
        if name.startswith("("):
            if name not in _SPECIAL:
                raise SignatureError("HDR-8")
        elif not _NAME.fullmatch(name):
            raise SignatureError("HDR-4")
    if len(set(names)) != len(names):
        raise SignatureError("HDR-5")
    if "signature" in names:
        raise SignatureError("HDR-9")
    return names


@lru_cache(maxsize=128)
def _starts(headers: tuple[str, ...]) -> tuple[tuple[bytes, bytes, str | None], ...]:
    """Return for each name how its line begins, the name in bytes, and itself if special."""
    return tuple(
        [
            (f"{name}: ".encode(), name.encode(), name if name.startswith("(") else None)
            for name in headers
        ]
    )


def _digits(name: str, parameters: SignatureParameters) -> bytes:
    """Return the value of ``(created)`` or ``(expires)`` (STR-7)."""
    seconds = parameters.created if name == "(created)" else parameters.expires
    if seconds is None:
        raise SignatureError("TIM-0")
    return b"%d" % seconds


def _escaped(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise SignatureSyntaxError("PAR-1")
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _carrier(message: HttpMessage) -> bytes:
    """Return the value of the one `Signature` field."""
    check_carrier(message)
    if b"signature-input" in message.first:
        raise SignatureSyntaxError("CAR-4")
    signature = message.first.get(b"signature")
    if signature is None:
        raise SignatureSyntaxError("CAR-1")
    if b"signature" in message.repeated:
        raise SignatureSyntaxError("CAR-3")
    if len(signature) > MAXIMUM_LENGTH:
        raise SignatureSyntaxError("CAR-5")
    return signature


@lru_cache(maxsize=128)
def _read_head(head: bytes) -> tuple[str, str | None, tuple[str, ...], int | None, int | None]:
    """Read what stands before a signature that is the last parameter, with another in its place.

    Clients repeat it from request to request. Were ``signature="`` the end of another value or
    name, the whole would be refused here as it would be with any other base64.
    """
    read = _read(head + _LAST + b'YQ=="')
    return read.unverified_keyid, read.algorithm, read.headers, read.created, read.expires


def _read(value: bytes) -> SignatureParameters:
    if not value.isascii():
        raise SignatureSyntaxError("PAR-1")
    parameters = parameter_values(value.decode("ascii"))  # (3)
    keyid, signature = parameters.get("keyid"), parameters.get("signature")
    if not keyid or not signature:
        raise SignatureSyntaxError("PAR-8")
    octets = decode_base64(signature)
    if octets is None:
        raise SignatureSyntaxError("PAR-9")
    created, expires = _integer(parameters.get("created")), _integer(parameters.get("expires"))
    if "headers" not in parameters:
        raise SignatureError("HDR-1")
    headers = covered_names(parameters["headers"])  # (4)
    return SignatureParameters(
        keyid, parameters.get("algorithm"), headers, octets, created, expires
    )


def _integer(text: str | None) -> int | None:
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise SignatureError("PAR-6")
    return int(text)
