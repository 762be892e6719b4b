"""Strict DER framing, which asn1crypto leaves to its caller."""

import re
from typing import Final

MAXIMUM_DEPTH: Final = 16

_CONSTRUCTED: Final = 0x20
_MULTI_BYTE_TAG: Final = 0x1F
_INTEGER: Final = 0x02
_OBJECT_IDENTIFIER: Final = 0x06
_ARCS: Final = re.compile(rb"(?:(?:[\x81-\xff][\x80-\xff]*)?[\x00-\x7f])+", re.DOTALL)


def check_der(data: bytes, *, depth: int = 0) -> None:
    """Raise ValueError unless `data` is a run of elements, each length definite and shortest.

    Also refuses object identifiers that are empty or padded, tags of several bytes and a nesting
    deeper than 16 (X.690 §8.1.3, §8.19.2, §10.1).
    """
    if depth > MAXIMUM_DEPTH:
        raise ValueError("nested too deep")
    start = 0
    while start < len(data):
        tag = data[start]
        begin, end = _extent(data, start)
        if tag & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:
            raise ValueError("a tag of several bytes")
        if tag == _OBJECT_IDENTIFIER and _ARCS.fullmatch(data, begin, end) is None:
            raise ValueError("an object identifier that is not shortest")
        if tag & _CONSTRUCTED:
            check_der(data[begin:end], depth=depth + 1)
        start = end


def first_within(data: bytes) -> bytes:
    """Return the first element within the element that `data` begins with, as it stands.

    Of anything that is signed under X.509 that is what the signature is over. Raises ValueError.
    """
    begin, _ = _extent(data, 0)
    _, end = _extent(data, begin)
    return data[begin:end]


def integer(value: int) -> bytes:
    """Return a positive INTEGER (X.690 §8.3), shorter than 128 octets."""
    octets = value.to_bytes(value.bit_length() // 8 + 1)
    return bytes((_INTEGER, len(octets))) + octets


def _extent(data: bytes, start: int) -> tuple[int, int]:
    """Return where the contents of the element at `start` begin and end."""
    if start + 2 > len(data):
        raise ValueError("an element without length")
    first = data[start + 1]
    begin = start + 2
    length = first
    if first >= 0x80:
        octets = data[begin : begin + (first & 0x7F)]
        begin += len(octets)
        length = int.from_bytes(octets)
        if length < 0x80 or octets[0] == 0 or len(octets) != first & 0x7F:
            raise ValueError("a length that is indefinite or not shortest")
    if begin + length > len(data):
        raise ValueError("an element longer than its frame")
    return begin, begin + length
