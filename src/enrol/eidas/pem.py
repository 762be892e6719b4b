"""Certificates in PEM, one after another, with whatever text between them (RFC 7468 §5)."""

import base64
import re
from typing import Final

from enrol.errors import CertificateError

_BLOCK: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----"
)


def split_pem(pem: bytes) -> tuple[bytes, ...]:
    """Return the DER of every certificate; raises ``cert_malformed`` for damaged base64."""
    return tuple(decode_base64(match[1]) for match in _BLOCK.finditer(pem))


def decode_base64(text: bytes) -> bytes:
    """Return the octets of base64 with white space in it; raises ``cert_malformed``."""
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError as exc:
        raise CertificateError("cert_malformed") from exc
