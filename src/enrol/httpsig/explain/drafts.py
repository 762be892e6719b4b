"""Signing strings in pieces, so that one can be bent as a client might have bent it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from msgspec.structs import replace as changed

from enrol.errors import RefusalError
from enrol.httpsig.cavage import SignatureParameters, signing_string
from enrol.httpsig.components import Component, ComponentSource
from enrol.httpsig.message import HttpMessage
from enrol.httpsig.policy import SignaturePolicy
from enrol.httpsig.rfc9421 import MessageSignature
from enrol.httpsig.verify import signed_target


@dataclass(frozen=True, slots=True)
class Line:
    """One line: `name` as it stands before the colon, what comes between, `value`.

    `absent` says that the message has no such value.
    """

    name: bytes
    value: bytes
    separator: bytes = b": "
    absent: bool = False

    def octets(self) -> bytes:
        """Return the line."""
        return self.name + self.separator + self.value


@dataclass(frozen=True, slots=True)
class Draft:
    """A signing string or signature base; `wrap` is what is done to the whole at last."""

    lines: tuple[Line, ...]
    end: bytes = b"\n"
    tail: bytes = b""
    wrap: Callable[[bytes], bytes] | None = None

    def octets(self) -> bytes:
        """Return what is signed."""
        whole = self.end.join([line.octets() for line in self.lines]) + self.tail
        return self.wrap(whole) if self.wrap else whole

    def mapped(self, change: Callable[[Line], Line]) -> Self:
        """Return the draft with every line changed."""
        return replace(self, lines=tuple([change(line) for line in self.lines]))

    def with_value(self, name: bytes, value: bytes) -> Self:
        """Return the draft with another value of one line."""
        return self.mapped(lambda line: replace(line, value=value) if line.name == name else line)

    def value(self, name: bytes) -> bytes | None:
        """Return the value of a line, None where there is no such line."""
        return next((line.value for line in self.lines if line.name == name), None)


def draft_of(
    message: HttpMessage, parsed: SignatureParameters | MessageSignature, policy: SignaturePolicy
) -> Draft:
    """Return what is to be signed in pieces; what is not in the message is empty."""
    if isinstance(parsed, MessageSignature):
        return _rfc9421_draft(message, parsed, policy)
    target, _ = signed_target(message, parsed, policy)
    return Draft(
        tuple([_line(name, _value(message, parsed, name, target)) for name in parsed.headers])
    )


def _rfc9421_draft(
    message: HttpMessage, parsed: MessageSignature, policy: SignaturePolicy
) -> Draft:
    source = ComponentSource(message, authority=policy.authority, scheme=policy.scheme)
    lines = [_line(str(c), _component_value(source, c)) for c in parsed.components]
    lines.append(Line(b'"@signature-params"', parsed.signature_params.encode()))
    return Draft(tuple(lines))


def _line(name: str, value: bytes | None) -> Line:
    return Line(name.encode(), value or b"", absent=value is None)


def _value(
    message: HttpMessage, parsed: SignatureParameters, name: str, target: bytes
) -> bytes | None:
    """Return the value of one line, not ASCII if it is not, None where there is none."""
    if not name.startswith("("):
        return message.combined(name.encode())
    try:
        line = signing_string(message, changed(parsed, headers=(name,)), target=target)
    except RefusalError:
        return None
    return line.partition(b": ")[2]


def _component_value(source: ComponentSource, component: Component) -> bytes | None:
    try:
        return source.value(component)
    except RefusalError:
        return None
