"""Who is at the other end of the connection, as the TLS end found out.

Only the ASGI TLS extension of our own listener is believed; header fields never are.
"""

import ssl
from functools import lru_cache

from starlette.types import Scope


@lru_cache(maxsize=4096)
def _der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)


def peer_certificate(scope: Scope) -> bytes | None:
    """Return the DER of the certificate whose key did the handshake, None where none was shown."""
    extensions = scope.get("extensions") or {}
    chain = (extensions.get("tls") or {}).get("client_cert_chain") or ()
    return _der(chain[0]) if chain else None


def peer_address(scope: Scope) -> str:
    """Return the address of the peer, or an empty text where the socket has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""
