"""Verifies a message as Standard Webhooks 1.0.0 has it; the library of that name does the same."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

TOLERANCE = 300
"""Seconds a message may be old, or of a clock that is ahead."""


class NotBelievedError(Exception):
    """A message is not one of Enrol's, or an old one sent again by somebody else."""


def read_secret(text: str) -> bytes:
    """Return the key in ``whsec_…``."""
    return b64decode(text.strip().removeprefix("whsec_"), validate=True)


def verify(body: bytes, fields: Mapping[str, str], keys: Sequence[bytes], *, now: float) -> str:
    """Return the id of a message that was signed with one of `keys` lately.

    `fields` has lower-case names, `now` is in seconds since 1970. Raises `NotBelievedError`.
    """
    message_id, timestamp = fields.get("webhook-id", ""), fields.get("webhook-timestamp", "")
    if not message_id or not timestamp.isascii() or not timestamp.isdecimal():
        raise NotBelievedError
    if abs(now - int(timestamp)) > TOLERANCE:
        raise NotBelievedError
    signed = f"{message_id}.{timestamp}.".encode() + body
    wanted = [f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys]
    given = fields.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(one.encode(), two.encode()) for one in given for two in wanted):
        raise NotBelievedError
    return message_id
