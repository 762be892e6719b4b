"""The HTTP message as received, and the checks that make it unambiguous before anything is read.

Signing strings are built from these bytes and from nothing else.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from enrol.httpsig.errors import HygieneError

SINGLE_FIELDS = frozenset(
    {
        b"host",
        b"content-type",
        b"content-length",
        b"date",
        b"digest",
        b"x-request-id",
        b"transfer-encoding",
    }
)
"""Fields that may stand in a message once at most, covered or not (HDR-11)."""

_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_USUAL_NAMES = SINGLE_FIELDS | {
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"authorization",
    b"connection",
    b"content-digest",
    b"signature",
    b"signature-input",
    b"user-agent",
}
"""Names that need no look at their letters."""

# A text is changed by a table exactly when it has octets that the table does not let stand.
_VISIBLE = bytes(c if 0x21 <= c <= 0x7E else 0x3F for c in range(256))
_NO_CONTROLS = bytes(0x20 if (c < 0x20 and c != 0x09) or c == 0x7F else c for c in range(256))

# What is left after these are deleted from a text is what does not belong in it.
_LOWER_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
_TOKEN = _LOWER_TOKEN + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class HttpMessage:
    """A request, byte for byte, or a response with the method and target of its request.

    `method` is in the case received; `target` is the request target with its query, not decoded;
    `fields` are (lower-case name, value) in wire order; `body` is what arrived after transfer
    coding and before content coding.
    """

    method: str
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes
    first: Mapping[bytes, bytes] = field(init=False, repr=False, compare=False)
    """The value of the first line of each field."""
    repeated: Mapping[bytes, list[bytes]] = field(init=False, repr=False, compare=False)
    """The values of fields that have several lines."""

    def __post_init__(self) -> None:
        first = dict(self.fields)
        repeated: dict[bytes, list[bytes]] = {}
        if len(first) != len(self.fields):
            lines: dict[bytes, list[bytes]] = {}
            for name, value in self.fields:
                lines.setdefault(name, []).append(value)
            first = {name: values[0] for name, values in lines.items()}
            repeated = {name: values for name, values in lines.items() if len(values) > 1}
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "repeated", repeated)

    @classmethod
    def of(
        cls, method: str, target: bytes, fields: Iterable[tuple[bytes, bytes]], body: bytes = b""
    ) -> Self:
        """Make a message from fields whose names may be in any case."""
        return cls(method, target, tuple((name.lower(), value) for name, value in fields), body)

    def values(self, name: bytes) -> tuple[bytes, ...]:
        """Return the values of every line of a field, `name` in lower case, in wire order."""
        value = self.first.get(name)
        if value is None:
            return ()
        return tuple(self.repeated[name]) if name in self.repeated else (value,)

    def combined(self, name: bytes) -> bytes | None:
        """Return the value of a field with blanks around it removed, lines joined by ``, ``.

        None when the field is absent (STR-2, HDR-10; RFC 9421 §2.1).
        """
        if name in self.repeated:
            return b", ".join([line.strip(b" \t") for line in self.repeated[name]])
        value = self.first.get(name)
        return value and value.strip(b" \t")

    def has(self, name: bytes) -> bool:
        """Say whether a field is present."""
        return name in self.first


def check_hygiene(message: HttpMessage) -> None:
    """Refuse a request that two readers could read in two ways.

    1. the request line: origin-form target of visible ASCII, method a token (STR-6);
    2. field names are tokens (CAR-6), and differ in more than ``_`` for ``-`` (SMG-2);
    3. field values hold no control characters (SMG-1, obs-fold STR-3);
    4. fields that may stand once do (HDR-11); never two framings (SMG-3).

    Raises `HygieneError`.
    """
    target = message.target  # (1)
    if target[:1] != b"/" or target.translate(_VISIBLE) != target:
        raise HygieneError("STR-6")
    if message.method not in _METHODS and not _is_token(message.method):
        raise HygieneError("STR-6")
    check_fields(message)  # (2), (3), (4)


def check_fields(message: HttpMessage) -> None:
    """Refuse ambiguous fields of a request or a response: steps 2 to 4 of `check_hygiene`."""
    first = message.first
    if not _USUAL_NAMES.issuperset(first):  # (2)
        _check_names(first)
    if message.repeated:
        values = b"".join([value for _, value in message.fields])
        if not SINGLE_FIELDS.isdisjoint(message.repeated):  # (4)
            raise HygieneError("HDR-11")
    else:
        values = b"".join(first.values())
    if values.translate(_NO_CONTROLS) != values:  # (3)
        raise HygieneError("STR-3" if _is_folded(message) else "SMG-1")
    if b"transfer-encoding" in first and b"content-length" in first:  # (4)
        raise HygieneError("SMG-3")


def _check_names(names: Collection[bytes]) -> None:
    """Refuse names that are no tokens, or that differ in ``_`` for ``-`` alone."""
    joined = b"".join(names)
    if joined.translate(None, _LOWER_TOKEN) or b"" in names:
        raise HygieneError("CAR-6")
    if b"_" in joined and len({name.replace(b"_", b"-") for name in names}) != len(names):
        raise HygieneError("SMG-2")


def _is_token(text: str) -> bool:
    return text != "" and text.isascii() and not text.encode().translate(None, _TOKEN)


def _is_folded(message: HttpMessage) -> bool:
    return any(b"\n " in value or b"\n\t" in value for _, value in message.fields)
