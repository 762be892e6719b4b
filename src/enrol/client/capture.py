"""A captured request: raw HTTP, the output of ``curl -v``, or a HAR file, read byte for byte."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from enrol.client.har import HarError, har_requests
from enrol.errors import ConfigurationError
from enrol.httpsig import HttpMessage

_REQUEST_LINE: Final = re.compile(rb"([^ \t]+) ([^ \t]+) HTTP/[0-9](?:\.[0-9])?")
_CURL: Final = re.compile(rb"(?:[0-9:.]+ )?> ?(.*)")
_BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")
_WHAT: Final = (
    "It is neither raw HTTP (POST /path HTTP/1.1, header fields, an empty line, the body), nor the "
    "output of curl -v, nor a HAR file."
)


@dataclass(frozen=True, slots=True)
class Capture:
    """A request that was captured; `notes` say what had to be assumed.

    `has_body` is false where the request had a body and the capture has not.
    """

    message: HttpMessage
    has_body: bool = True
    notes: tuple[str, ...] = ()

    def with_body(self, body: bytes) -> "Capture":
        """Return the capture with a body that was kept apart."""
        return Capture(replace(self.message, body=body), notes=())


def read_captures(data: bytes) -> tuple[Capture, ...]:
    """Return the requests in a capture, at least one.

    Raises `ConfigurationError` ``capture_unreadable``.
    """
    start = data.lstrip(b"\r\n")
    if data.lstrip()[:1] in (b"{", b"["):
        captures = tuple(_from_har(data))
    elif _REQUEST_LINE.match(start):
        captures = (_from_raw(start),)
    else:
        captures = tuple(_from_curl(data))
    if not captures:
        raise unreadable(_WHAT)
    return captures


def choose_capture(captures: Sequence[Capture], number: int | None = None) -> Capture:
    """Return the request counted from 1, or else the last one that is signed.

    Raises `ConfigurationError` ``capture_unreadable`` where there is no such request.
    """
    if number is None:
        signed = [n for n, each in enumerate(captures, start=1) if _is_signed(each.message)]
        number = signed[-1] if signed else len(captures)
    if not 1 <= number <= len(captures):
        raise unreadable(f"It holds {len(captures)} requests: there is no number {number}.")
    chosen = captures[number - 1]
    if len(captures) == 1:
        return chosen
    note = f"Request {number} of {len(captures)} in the capture; choose another with --request."
    return replace(chosen, notes=(note, *chosen.notes))


def make_capture(
    method: str, target: str, fields: Iterable[str], body: bytes | None = None
) -> Capture:
    """Return a request from its parts; a field is ``Name: value``.

    Raises `ConfigurationError` ``capture_unreadable``.
    """
    read = _fields([field.encode("utf-8", "surrogateescape") for field in fields])
    message = HttpMessage.of(method, target.encode("utf-8", "surrogateescape"), read, body or b"")
    return Capture(message, has_body=body is not None or not _announces_body(message))


def unreadable(why: str) -> ConfigurationError:
    """Return the error of a capture that cannot be read."""
    return ConfigurationError("capture_unreadable", f"The capture cannot be read. {why}")


def _from_har(data: bytes) -> Iterator[Capture]:
    try:
        requests = tuple(har_requests(data))
    except HarError as exc:
        raise unreadable(f"It is no HAR file: {exc}.") from exc
    for request in requests:
        message = HttpMessage.of(
            request.method, request.target, request.fields, request.body or b""
        )
        has_body = request.body is not None or not _announces_body(message)
        yield Capture(message, has_body=has_body)


def _curl_lines(data: bytes) -> list[bytes]:
    """Return the lines that curl -v marks as sent, without the mark."""
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    return [match[1] for match in map(_CURL.fullmatch, lines) if match]


def _from_curl(data: bytes) -> Iterator[Capture]:
    """Yield the requests in the output of curl -v, which never shows a body."""
    head: list[bytes] = []
    for line in _curl_lines(data):
        if _REQUEST_LINE.fullmatch(line):
            head = [line]
        elif line == b"" and head:
            message = _message(head, b"")
            announced = _announces_body(message)
            note = "curl -v does not show the body: give it with --body-file."
            yield Capture(message, has_body=not announced, notes=(note,) if announced else ())
            head = []
        elif head:
            head.append(line)
    if head:
        raise unreadable("The last request of curl -v has no end: a line with > alone.")


def _from_raw(data: bytes) -> Capture:
    match = _BLANK_LINE.search(data)
    head, body = (data[: match.start()], data[match.end() :]) if match else (data, b"")
    message = _message([line.removesuffix(b"\r") for line in head.rstrip(b"\n").split(b"\n")], body)
    if message.has(b"transfer-encoding") and body:
        note = "The body is in chunks: give its octets with --body-file."
        return Capture(replace(message, body=b""), has_body=False, notes=(note,))
    return _as_announced(message)


def _as_announced(message: HttpMessage) -> Capture:
    """Return a raw request, its body without the line end that an editor puts after it."""
    length, body = message.combined(b"content-length"), message.body
    if length is None or not length.isdigit() or len(length) > 18 or int(length) == len(body):
        return Capture(message)
    if not body:
        note = f"Content-Length is {int(length)} and there is no body: give it with --body-file."
        return Capture(message, has_body=False, notes=(note,))
    cut = body[: int(length)]
    if body[int(length) :] in (b"\n", b"\r\n"):
        note = "The line end after the body, beyond Content-Length, is left out."
        return Capture(replace(message, body=cut), notes=(note,))
    note = f"Content-Length is {int(length)}, and the body has {len(body)} octets."
    return Capture(message, notes=(note,))


def _message(lines: Sequence[bytes], body: bytes) -> HttpMessage:
    match = _REQUEST_LINE.fullmatch(lines[0]) if lines else None
    if match is None:
        raise unreadable(_WHAT)
    return HttpMessage.of(match[1].decode("latin-1"), match[2], _fields(lines[1:]), body)


def _fields(lines: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the fields of header lines; one that is folded keeps its fold."""
    fields: list[tuple[bytes, bytes]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and fields:
            name, value = fields.pop()
            fields.append((name, value + b"\r\n" + line))
            continue
        name, colon, value = line.partition(b":")
        if not colon or not name:
            raise unreadable("A header field is not Name: value.")
        fields.append((name, value.removeprefix(b" ")))
    return fields


def _announces_body(message: HttpMessage) -> bool:
    length = message.combined(b"content-length")
    return message.has(b"transfer-encoding") or (length is not None and length != b"0")


def _is_signed(message: HttpMessage) -> bool:
    authorization = message.first.get(b"authorization", b"").lower()
    return message.has(b"signature") or authorization.startswith(b"signature ")
