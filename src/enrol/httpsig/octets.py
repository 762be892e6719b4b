"""Canonical base64, the only form in which octets may stand in a field (RFC 4648 §3.5)."""

from binascii import a2b_base64, b2a_base64


def decode_base64(text: bytes | str) -> bytes | None:
    """Return the octets behind canonical base64, or None.

    Canonical: standard alphabet, padded, no blanks, trailing bits zero; encoding the octets again
    gives the same text.
    """
    try:
        octets = a2b_base64(text)
    except ValueError:
        return None
    canonical = b2a_base64(octets, newline=False)
    if isinstance(text, str):
        return octets if canonical.decode() == text else None
    return octets if canonical == text else None


def encode_base64(octets: bytes) -> str:
    """Return canonical base64."""
    return b2a_base64(octets, newline=False).decode()
