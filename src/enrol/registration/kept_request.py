"""A request as it is kept for evidence: what its signature covers, as text of HTTP/1.1.

Request line, one line a field, an empty line, the body; names in lower case, all values byte for
byte as they were received. A message of `check_hygiene` is read back as it was written.
"""

from functools import lru_cache
from typing import Final

from enrol.httpsig.message import HttpMessage

SECRET_FIELDS: Final = frozenset({b"authorization", b"cookie", b"proxy-authorization"})
"""Fields that are never kept, signed or not."""

_ALWAYS: Final = frozenset(
    {b"content-digest", b"digest", b"host", b"signature", b"signature-input", b"x-request-id"}
)
_END: Final = b" HTTP/1.1"


def write_request(
    message: HttpMessage, covered: tuple[str, ...], *, body: bytes | None = None
) -> bytes:
    """Return the bytes to keep of a message; `covered` are names or components of its signature.

    `body` takes the place of the body, where that is not kept.
    """
    kept = _ALWAYS | field_names(covered)
    lines = [
        name + b": " + value
        for name, value in message.fields
        if name in kept and name not in SECRET_FIELDS
    ]
    start = message.method.encode("ascii") + b" " + message.target + _END
    return b"\r\n".join([start, *lines, b"", message.body if body is None else body])


def read_request(kept: bytes) -> HttpMessage:
    """Return the message that was kept; raises ValueError where the bytes are not of one."""
    head, gap, body = kept.partition(b"\r\n\r\n")
    start, *lines = head.split(b"\r\n")
    method, _, rest = start.partition(b" ")
    fields = [line.partition(b": ") for line in lines]
    is_line = gap and method.isascii() and rest.endswith(_END)
    if not is_line or not all(colon for _, colon, _ in fields):
        raise ValueError("not a request that was kept")
    target = rest.removesuffix(_END)
    return HttpMessage.of(
        method.decode("ascii"), target, [(name, value) for name, _, value in fields], body
    )


@lru_cache(maxsize=1024)
def field_names(covered: tuple[str, ...]) -> frozenset[bytes]:
    """Return the names of the fields that names or components of a signature speak of."""
    return frozenset([name.partition(";")[0].strip('"').encode() for name in covered])
