"""Secrets of clients that are derived, so that a lost answer can be given again and none is stored.

Each is an HMAC, under the server's secret, of what it is for, the client and its generation.
Generations count from 1.
"""

import hmac
import re
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from enrol.oauth.tokens import encode_token
from enrol.oauth.types import ClientId

_NUMBERED: Final = re.compile(r"[A-Za-z0-9_-]{43}\.([1-9][0-9]{0,8})")


def registration_access_token(secret: bytes, client_id: ClientId, generation: int = 1) -> str:
    """Return the registration access token of a client (RFC 7592 §3).

    From the second on a token ends in its generation, so that it is judged without a look into
    the register.
    """
    text = _derive(secret, b"enrol registration_access_token", client_id, generation)
    return text if generation == 1 else f"{text}.{generation}"


def find_generation(secret: bytes, client_id: ClientId, token: str) -> int | None:
    """Return which registration access token of a client `token` is, None where it is none."""
    numbered = _NUMBERED.fullmatch(token)
    generation = int(numbered[1]) if numbered else 1
    expected = registration_access_token(secret, client_id, generation)
    return generation if hmac.compare_digest(token, expected) else None


def client_secret(secret: bytes, client_id: ClientId, generation: int) -> str:
    """Return the secret of a client (RFC 7591 §3.2.1)."""
    return _derive(secret, b"enrol client_secret", client_id, generation)


def _derive(secret: bytes, purpose: bytes, client_id: ClientId, generation: int) -> str:
    """Return 256 bits in base64url; no client_id holds the octet that stands between the parts."""
    parts = [purpose, client_id.encode("ascii")]
    if generation > 1:
        parts.append(b"%d" % generation)
    mac = _keyed(secret).copy()
    mac.update(b"\0".join(parts))
    return encode_token(mac.finalize())


@lru_cache(maxsize=1)
def _keyed(secret: bytes) -> HMAC:
    """Return what derives from the secret of the server, which takes longer to make than to use."""
    return HMAC(secret, SHA256())
