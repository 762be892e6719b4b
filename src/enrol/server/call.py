"""One call of an entry point: what the ASGI server received, read within the limits."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.types import Receive, Scope

from enrol.errors import (
    MalformedRequestError,
    NotAcceptableError,
    RequestTimeoutError,
)
from enrol.httpsig.message import HttpMessage
from enrol.oauth.types import RequestId
from enrol.server.answer import new_request_id
from enrol.server.room import Room

_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,70}")
_JSON_RANGES = (b"application/json", b"application/*", b"*/*")
_ZERO_WEIGHT = re.compile(rb"q=0(?:\.0{0,3})?")
_DIGITS = re.compile(rb"[0-9]{1,18}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}")
REQUEST_TARGET = "enrol.request_target"
WHOLE_BODY = "enrol.whole_body"
"""The ASGI extension by which the listener gives a body that came with its head."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """What one request may cost: sizes in bytes, times in seconds."""

    body: int = 262_144
    body_deadline: float = 10.0
    request_deadline: float = 15.0


class Call(msgspec.Struct, frozen=True):
    """A request as received, its body not read yet.

    `request_id` is the caller's own where it sent a legal one, else one of ours; `request_id_fault`
    is the code to refuse with where the entry point needs the caller's. `named` has a line of each
    header field.
    """

    scope: Scope
    receive: Receive
    limits: RequestLimits
    room: Room
    request_id: RequestId
    request_id_fault: str | None
    named: Mapping[bytes, bytes]

    @property
    def method(self) -> str:
        """The method, in the case received."""
        return str(self.scope["method"])

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """Return the values of every line of a header field, `name` in lower case."""
        value, fields = self.named.get(name), self.scope["headers"]
        if value is None:
            return ()
        if len(self.named) == len(fields):
            return (value,)
        return tuple([value for key, value in fields if key == name])

    def message(self, body: bytes) -> HttpMessage:
        """Return the message as received, with `body`."""
        return HttpMessage(self.method, self._target(), tuple(self.scope["headers"]), body)

    def _target(self) -> bytes:
        extension = (self.scope.get("extensions") or {}).get(REQUEST_TARGET)
        if extension is not None:
            return bytes(extension["target"])
        path, query = bytes(self.scope["raw_path"]), bytes(self.scope["query_string"])
        return path + b"?" + query if query else path


def receive_call(scope: Scope, receive: Receive, limits: RequestLimits, room: Room) -> Call:
    """Return the call in an ASGI scope, with the id its answer will carry."""
    values = [value.strip(b" \t") for key, value in scope["headers"] if key == b"x-request-id"]
    fault = None
    if len(values) != 1 or not values[0]:
        fault = "request_id_missing"
    elif not _REQUEST_ID.fullmatch(values[0]):
        fault = "request_id_malformed"
    request_id = new_request_id() if fault else values[0].decode("ascii")
    return Call(scope, receive, limits, room, RequestId(request_id), fault, dict(scope["headers"]))


def check_request_id(call: Call) -> None:
    """Refuse a call without one legal X-Request-ID (STET 1.0.5)."""
    if call.request_id_fault is not None:
        raise MalformedRequestError(call.request_id_fault)


def check_accept(call: Call) -> None:
    """Refuse a call whose Accept excludes JSON (RFC 9110 §12.5.1)."""
    values = call.values(b"accept")
    if values in ((), (b"*/*",), (b"application/json",)):
        return
    weights: dict[bytes, bool] = {}
    for element in b",".join(values).split(b","):
        media, *parameters = (part.strip(b" \t").lower() for part in element.split(b";"))
        weights[media] = not any(_ZERO_WEIGHT.fullmatch(part) for part in parameters)
    for media in _JSON_RANGES:
        if media in weights:
            if weights[media]:
                return
            break
    raise NotAcceptableError("not_acceptable")


def is_client_id(text: str) -> bool:
    """Tell whether `text` can be a client_id: 1 to 128 unreserved characters (RFC 3986 §2.3)."""
    return _CLIENT_ID.fullmatch(text) is not None and text not in (".", "..")


def check_no_body(call: Call) -> None:
    """Refuse content where a method takes none."""
    lengths = call.values(b"content-length")
    if call.values(b"transfer-encoding") or any(length.strip(b" \t") != b"0" for length in lengths):
        raise MalformedRequestError("body_unexpected")


def check_content(call: Call, *, media_type: bytes, code: str) -> None:
    """Refuse a body of another media type, or one that is encoded."""
    types = call.values(b"content-type")
    if len(types) != 1 or types[0].partition(b";")[0].strip(b" \t").lower() != media_type:
        raise MalformedRequestError(code)
    encodings = call.values(b"content-encoding")
    if encodings and any(value.strip(b" \t").lower() != b"identity" for value in encodings):
        raise MalformedRequestError("content_encoding_unsupported")


async def read_body(call: Call) -> bytes:
    """Return the whole body, within size and deadline.

    Raises `MalformedRequestError` ``body_too_large``, `RequestTimeoutError`, `UnavailableError`
    ``overloaded``, and `ClientGoneError` where the peer hung up.
    """
    for length in call.values(b"content-length"):
        if _DIGITS.fullmatch(length) is None or int(length) > call.limits.body:
            raise MalformedRequestError("body_too_large")
    whole = call.scope["extensions"].get(WHOLE_BODY)
    body: bytes | None = whole["take"]() if whole is not None else None
    if body is None:
        return await _await_body(call)
    return _within(call.limits, body)


async def _await_body(call: Call) -> bytes:
    try:
        with call.room.left():
            async with asyncio.timeout(call.limits.body_deadline):
                return await _receive_all(call)
    except TimeoutError as exc:
        raise RequestTimeoutError("request_timeout") from exc


class ClientGoneError(Exception):
    """The peer hung up before its request was complete; there is nobody to answer."""


async def _receive_all(call: Call) -> bytes:
    body = b""
    while True:
        event = await call.receive()
        if event["type"] == "http.disconnect":
            raise ClientGoneError
        body = _within(call.limits, body + bytes(event.get("body", b"")))
        if not event.get("more_body", False):
            return body


def _within(limits: RequestLimits, body: bytes) -> bytes:
    if len(body) > limits.body:
        raise MalformedRequestError("body_too_large")
    return body
