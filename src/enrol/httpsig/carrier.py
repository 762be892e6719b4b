"""Where a signature may travel, and how long it may be, in either mode."""

from typing import Final

from enrol.httpsig.errors import SignatureSyntaxError
from enrol.httpsig.message import HttpMessage

MAXIMUM_LENGTH: Final = 8192
"""Octets a `Signature` or `Signature-Input` may have (CAR-5)."""

_SCHEMES: Final = (b"signature", b"signature ", b"signature\t")


def check_carrier(message: HttpMessage) -> None:
    """Refuse a signature in `Authorization`, alone or beside another (CAR-2)."""
    for value in message.values(b"authorization"):
        if value.lstrip(b" \t")[:10].lower() in _SCHEMES:
            raise SignatureSyntaxError("CAR-2")
