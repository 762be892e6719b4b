"""An HTTP answer as bytes, with the header fields that every answer carries."""

import secrets
from datetime import datetime
from email.utils import formatdate
from functools import lru_cache

import msgspec

Fields = tuple[tuple[bytes, bytes], ...]

_ALWAYS: Fields = (
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"x-content-type-options", b"nosniff"),
    (b"strict-transport-security", b"max-age=63072000"),
)
JSON = b"application/json; charset=utf-8"
CLOSE: Fields = ((b"connection", b"close"),)
DELIVERY = "enrol.delivery"
"""The ASGI extension by which the listener takes an `Answer` in one piece."""


class Answer(msgspec.Struct, frozen=True):
    """Status, header fields in wire order and body of one answer."""

    status: int
    fields: Fields
    body: bytes


def date_field(at: datetime) -> tuple[bytes, bytes]:
    """Return the Date of an answer given at `at` (RFC 9110 §6.6.1)."""
    return b"date", _http_date(int(at.timestamp()))


@lru_cache(maxsize=4)
def _http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode("ascii")


def new_request_id() -> str:
    """Return an id for the answer to a request that brought none, or an illegal one."""
    return f"enrol-{secrets.token_hex(16)}"


def answer(
    status: int,
    body: bytes,
    *,
    request_id: str,
    content_type: bytes = JSON,
    fields: Fields = (),
) -> Answer:
    """Return an answer that carries X-Request-ID, `fields` and the fields all answers carry."""
    own: Fields = ((b"x-request-id", request_id.encode("ascii")),)
    if status != 204:
        own += ((b"content-type", content_type), (b"content-length", b"%d" % len(body)))
    return Answer(status, own + _ALWAYS + fields, body)
