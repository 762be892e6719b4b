"""Where a signature may travel, and how long it may be, in either mode."""

import re
from typing import Final

from enrol.httpsig.errors import SignatureSyntaxError
from enrol.httpsig.message import HttpMessage

MAXIMUM_LENGTH: Final = 8192
"""Octets a `Signature` or `Signature-Input` may have (CAR-5)."""

_SCHEME: Final = re.compile(rb"[ \t]*+signature(?:[ \t]|\Z)", re.IGNORECASE)


def check_carrier(message: HttpMessage) -> None:
    """Refuse a signature in `Authorization`, alone or beside another (CAR-2)."""
    for value in message.values(b"authorization"):
        if _SCHEME.match(value):
            raise SignatureSyntaxError("CAR-2")
