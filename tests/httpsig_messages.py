"""Small changes to messages, for tests of signatures."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from enrol.errors import EnrolError
from enrol.httpsig import HttpMessage


def with_fields(message: HttpMessage, fields: Iterable[tuple[str, str]]) -> HttpMessage:
    """Return a message with fields added at the end."""
    added = tuple((name.lower().encode(), value.encode()) for name, value in fields)
    return replace(message, fields=message.fields + added)


def with_field(message: HttpMessage, name: bytes, value: bytes) -> HttpMessage:
    """Return a message with one more line of a field."""
    return replace(message, fields=(*message.fields, (name, value)))


def without_field(message: HttpMessage, name: bytes) -> HttpMessage:
    """Return a message without any line of a field."""
    return replace(message, fields=tuple(f for f in message.fields if f[0] != name))


def changed_field(message: HttpMessage, name: bytes, value: bytes) -> HttpMessage:
    """Return a message whose lines of a field all have another value."""
    fields = tuple((n, value if n == name else v) for n, v in message.fields)
    return replace(message, fields=fields)


def code_of(call: Callable[..., Any], *args: Any, **kwargs: Any) -> str | None:
    """Return the code a call is refused with, or None."""
    try:
        call(*args, **kwargs)
    except EnrolError as refusal:
        return refusal.code
    return None
