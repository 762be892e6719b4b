"""Strings of OAuth that have a grammar of their own."""

from typing import NewType

ClientId = NewType("ClientId", str)
"""RFC 6749 §2.2: a client identifier the desk issued."""

RequestId = NewType("RequestId", str)
"""The value of ``X-Request-ID``: 1 to 70 visible ASCII characters."""

X5tS256 = NewType("X5tS256", str)
"""RFC 8705 §3.1: base64url, unpadded, of the SHA-256 of a certificate's DER."""
