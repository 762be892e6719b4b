"""Canonical base64, the only form in which octets may stand in a field (RFC 4648 §3.5)."""

from binascii import b2a_base64
from typing import Final

import msgspec

_READER: Final = msgspec.json.Decoder(bytes)
"""Reads base64 in quotes, in half the time that `binascii` takes."""


def decode_base64(text: bytes | str) -> bytes | None:
    """Return the octets behind canonical base64, or None.

    Canonical: standard alphabet, padded, no blanks, trailing bits zero; encoding the octets again
    gives the same text.
    """
    try:
        data = text.encode("ascii") if isinstance(text, str) else text
        octets = _READER.decode(b'"%b"' % data)
    except (UnicodeEncodeError, msgspec.MsgspecError):
        return None
    return octets if b2a_base64(octets, newline=False) == data else None


def encode_base64(octets: bytes) -> str:
    """Return canonical base64."""
    return b2a_base64(octets, newline=False).decode()
