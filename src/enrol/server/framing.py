"""The head of an HTTP/1.1 request, judged on the bytes received (RFC 9112 §2, §3, §6)."""

import re

from enrol.errors import MalformedRequestError, MethodError, RefusalError
from enrol.server.listener_settings import ListenerSettings

METHODS = ("POST", "GET", "PUT", "DELETE")

_TARGET = re.compile(rb"/[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*")
_METHOD = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_DIGITS = re.compile(rb"[0-9]{1,15}")


def check_size(head: bytes, limits: ListenerSettings) -> None:
    """Refuse a head, or the part of it that came so far, that is over the limits."""
    line = head.find(b"\r\n")
    if line < 0:
        line = len(head)
    if line > limits.request_line_bytes or len(head) - line > limits.header_bytes:
        raise MalformedRequestError("headers_too_large")


def request_target(head: bytes, limits: ListenerSettings) -> bytes:
    """Return the target of a whole head, byte for byte: a path and perhaps a query.

    `head` ends before the empty line. HTTP parsers tolerate more than one space, RTSP and old
    versions in the request line; here it is exactly what RFC 9112 §3 writes.
    """
    if head.count(b"\r\n") > limits.header_fields:
        raise MalformedRequestError("headers_too_large")
    parts = head.split(b"\r\n", 1)[0].split(b" ")
    if len(parts) != 3 or parts[2] != b"HTTP/1.1":
        raise MalformedRequestError("http_malformed")
    target = parts[1]
    if not target.startswith(b"/"):
        raise MalformedRequestError("target_not_origin_form")
    if not _TARGET.fullmatch(target):
        raise MalformedRequestError("http_malformed")
    return target


def body_length(fields: list[tuple[bytes, bytes]]) -> int | None:
    """Return how many bytes follow the head, or None for a chunked body.

    `fields` have lower-case names and values without white space around them. What could be read
    in two ways is refused: a second Host, Content-Length or Transfer-Encoding, both of the latter,
    any coding but ``chunked`` (RFC 9112 §3.2, §6.3).
    """
    names = [name for name, _ in fields]
    framing = names.count(b"content-length") + names.count(b"transfer-encoding")
    if names.count(b"host") != 1 or framing > 1:
        raise MalformedRequestError("http_malformed")
    if not framing:
        return 0
    values = dict(fields)
    length = values.get(b"content-length")
    if length is None:
        if values[b"transfer-encoding"] != b"chunked":
            raise MalformedRequestError("http_malformed")
        return None
    if not _DIGITS.fullmatch(length):
        raise MalformedRequestError("http_malformed")
    return int(length)


def unknown_method(head: bytes) -> RefusalError:
    """Return the refusal of a head whose method the parser does not know.

    A word in the place of a method is a method that nothing here offers; other bytes are noise.
    """
    if _METHOD.fullmatch(head.split(b" ", 1)[0].split(b"\r\n", 1)[0]):
        return MethodError("method_not_allowed", allowed=METHODS)
    return MalformedRequestError("http_malformed")
