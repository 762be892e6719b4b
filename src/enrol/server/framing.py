"""The head of an HTTP/1.1 request, judged on the bytes received (RFC 9112 §2, §3, §6)."""

import re

from enrol.errors import MalformedRequestError, MethodError, RefusalError
from enrol.server.listener_settings import ListenerSettings

METHODS = ("POST", "GET", "PUT", "DELETE")

_METHOD = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_LINE = re.compile(rb"[!-~]+ (/[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*) HTTP/1\.1\r\n")
_OTHER_TARGET = re.compile(rb"[!-~]+ [!-.0-~][!-~]* HTTP/1\.1\r\n")
_DIGITS = re.compile(rb"[0-9]{1,15}")


def check_size(head: bytes, end: int, limits: ListenerSettings) -> None:
    """Refuse a head that is over the limits: its first `end` bytes, all that came or all there are.

    The number of fields is for `body_length` to check.
    """
    line = head.find(b"\r\n", 0, end)
    if line < 0:
        line = end
    if line > limits.request_line_bytes or end - line > limits.header_bytes:
        raise MalformedRequestError("headers_too_large")


def request_target(head: bytes) -> bytes:
    """Return the target in a head, byte for byte: a path and perhaps a query.

    HTTP parsers tolerate more spaces, RTSP and old versions in the request line; here it is
    exactly what RFC 9112 §3 writes.
    """
    line = _LINE.match(head)
    if line is not None:
        return line[1]
    if _OTHER_TARGET.match(head):
        raise MalformedRequestError("target_not_origin_form")
    raise MalformedRequestError("http_malformed")


def body_length(fields: list[tuple[bytes, bytes]], limits: ListenerSettings) -> int | None:
    """Return how many bytes follow the head, or None for a chunked body.

    `fields` have lower-case names and values without white space around them. What could be read
    in two ways is refused: a second Host, Content-Length or Transfer-Encoding, both of the latter,
    any coding but ``chunked`` (RFC 9112 §3.2, §6.3).
    """
    if len(fields) > limits.header_fields:
        raise MalformedRequestError("headers_too_large")
    names = [name for name, _ in fields]
    lengths, codings = names.count(b"content-length"), names.count(b"transfer-encoding")
    if names.count(b"host") != 1 or lengths + codings > 1:
        raise MalformedRequestError("http_malformed")
    if lengths:
        value = fields[names.index(b"content-length")][1]
        if _DIGITS.fullmatch(value):
            return int(value)
        raise MalformedRequestError("http_malformed")
    if codings and fields[names.index(b"transfer-encoding")][1] != b"chunked":
        raise MalformedRequestError("http_malformed")
    return None if codings else 0


def unknown_method(head: bytes) -> RefusalError:
    """Return the refusal of a head whose method the parser does not know.

    A word in the place of a method is a method that nothing here offers; other bytes are noise.
    """
    if _METHOD.fullmatch(head.split(b" ", 1)[0].split(b"\r\n", 1)[0]):
        return MethodError("method_not_allowed", allowed=METHODS)
    return MalformedRequestError("http_malformed")
