"""OAuth over mutual TLS: the thumbprint a token is bound to (RFC 8705 §3)."""

from base64 import urlsafe_b64encode
from functools import lru_cache

from enrol.oauth.types import X5tS256


@lru_cache(maxsize=1024)  # each request names the same certificates
def x5t_s256(digest: bytes) -> X5tS256:
    """Return ``x5t#S256`` for the SHA-256 (32 bytes) of a certificate's DER."""
    return X5tS256(urlsafe_b64encode(digest).rstrip(b"=").decode("ascii"))
