"""Bearer tokens: how they are made, kept and read (RFC 6749 §5.1, RFC 6750, RFC 8705 §3)."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime

from enrol.errors import MalformedRequestError, TokenError
from enrol.oauth.types import ClientId, X5tS256

MANAGE_REGISTRATION = "manageRegistration"
_CREDENTIALS = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}) +([A-Za-z0-9._~+/-]{1,512}=*)")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An issued access token as it is stored: by the SHA-256 of its text, never the text.

    `client_id` may be the generic one of the setup; `x5t_s256` is the certificate it is bound to
    (RFC 8705 §3.1), `organization_identifier` the organisation that certificate names.
    """

    token_hash: bytes
    client_id: ClientId
    organization_identifier: str
    x5t_s256: X5tS256
    scope: frozenset[str]
    expires_at: datetime


def encode_token(random: bytes) -> str:
    """Return the text of a token made of `random` (at least 32 bytes)."""
    return urlsafe_b64encode(random).rstrip(b"=").decode("ascii")


def hash_token(token: str) -> bytes:
    """Return the 32 bytes a token is found by; a token is random enough to need no salt."""
    return hashlib.sha256(token.encode("ascii")).digest()


def parse_bearer(values: tuple[bytes, ...]) -> str:
    """Return the token in the Authorization field lines of a request (RFC 6750 §2.1).

    Raises `TokenError` ``token_missing`` or ``token_malformed``, and `MalformedRequestError`
    where the field stands twice.
    """
    if not values:
        raise TokenError("token_missing")
    if len(values) > 1:
        raise MalformedRequestError("authorization_twice")
    match = _CREDENTIALS.fullmatch(values[0].strip(b" \t"))
    if match is None or match[1].lower() != b"bearer":
        raise TokenError("token_malformed")
    return match[2].decode("ascii")


def check_token(token: AccessToken | None, *, x5t_s256: X5tS256, at: datetime) -> AccessToken:
    """Return the token if it is known, in time and bound to the certificate of the connection.

    Raises `TokenError`.
    """
    if token is None:
        raise TokenError("token_unknown")
    if at >= token.expires_at:
        raise TokenError("token_expired")
    if not hmac.compare_digest(token.x5t_s256, x5t_s256):
        raise TokenError("token_not_bound")
    return token
