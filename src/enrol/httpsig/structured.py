"""Structured field values (RFC 8941): dictionaries of items and inner lists, read strictly.

Members and parameters are kept in order and as often as they stand there, so that the caller can
refuse doubles, which the standard would let the last one win.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from enrol.httpsig.octets import decode_base64, encode_base64


class StructuredFieldError(ValueError):
    """A value is not a structured field."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, which is no string."""

    text: str


BareItem = bool | int | Decimal | str | bytes | Token
"""Boolean, Integer, Decimal, String, Byte Sequence, Token."""

Parameters = tuple[tuple[str, BareItem], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A bare item with its parameters."""

    value: BareItem
    parameters: Parameters = ()


@dataclass(frozen=True, slots=True)
class InnerList:
    """A list of items in parentheses with its parameters."""

    items: tuple[Item, ...]
    parameters: Parameters = ()


Member = Item | InnerList
Dictionary = tuple[tuple[str, Member], ...]

_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*+")
_NUMBER: Final = re.compile(r"-?(?:([0-9]{1,15})(?![0-9.])|[0-9]{1,12}\.[0-9]{1,3}(?![0-9.]))")
_STRING: Final = re.compile(r'"((?:[ !#-\[\]-~]++|\\["\\])*+)"')
_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*+")
_BYTES: Final = re.compile(r":([A-Za-z0-9+/=]*+):")
_BOOLEAN: Final = re.compile(r"\?([01])")
_COMMA: Final = re.compile(r"[ \t]*+,[ \t]*+")


def parse_dictionary(value: bytes) -> Dictionary:
    """Read a dictionary, lines already joined; `StructuredFieldError` when it is none."""
    if not value.isascii():
        raise StructuredFieldError
    text = value.decode("ascii").strip(" ")
    members: list[tuple[str, Member]] = []
    position = 0
    while position < len(text):
        key, position = _key(text, position)
        member: Member
        if text.startswith("=(", position):
            member, position = _inner_list(text, position + 1)
        elif text.startswith("=", position):
            member, position = _item(text, position + 1)
        else:
            parameters, position = _parameters(text, position)
            member = Item(value=True, parameters=parameters)
        members.append((key, member))
        if position < len(text):
            comma = _matched(_COMMA, text, position)
            position = comma.end()
            if position == len(text):
                raise StructuredFieldError
    return tuple(members)


def is_key(text: str) -> bool:
    """Say whether a text may be the key of a member or parameter."""
    return _KEY.fullmatch(text) is not None


def serialize_member(member: Member) -> str:
    """Return the one text of a dictionary member (RFC 8941 §4.1)."""
    if isinstance(member, InnerList):
        return serialize_inner_list(member)
    return serialize_item(member)


def serialize_inner_list(inner: InnerList) -> str:
    """Return the one text of an inner list."""
    items = " ".join([serialize_item(item) for item in inner.items])
    return f"({items}){_serialize_parameters(inner.parameters)}"


def serialize_item(item: Item) -> str:
    """Return the one text of an item."""
    return serialize_bare_item(item.value) + _serialize_parameters(item.parameters)


def serialize_bare_item(value: BareItem) -> str:
    """Return the one text of a bare item."""
    match value:
        case bool():
            return f"?{value:d}"
        case int():
            return str(value)
        case Decimal():
            whole, _, fraction = f"{value:.3f}".partition(".")
            return f"{whole}.{fraction.rstrip('0') or '0'}"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bytes():
            return f":{encode_base64(value)}:"
        case Token():
            return value.text


def _serialize_parameters(parameters: Parameters) -> str:
    return "".join(
        [
            f";{key}" if value is True else f";{key}={serialize_bare_item(value)}"
            for key, value in parameters
        ]
    )


def _matched(pattern: re.Pattern[str], text: str, position: int) -> re.Match[str]:
    match = pattern.match(text, position)
    if match is None:
        raise StructuredFieldError
    return match


def _key(text: str, position: int) -> tuple[str, int]:
    match = _matched(_KEY, text, position)
    return match.group(), match.end()


def _spaces(text: str, position: int) -> int:
    while text.startswith(" ", position):
        position += 1
    return position


def _inner_list(text: str, position: int) -> tuple[InnerList, int]:
    items: list[Item] = []
    position += 1
    while True:
        start = _spaces(text, position)
        if text.startswith(")", start):
            parameters, position = _parameters(text, start + 1)
            return InnerList(tuple(items), parameters), position
        if items and start == position:
            raise StructuredFieldError
        item, position = _item(text, start)
        items.append(item)


def _item(text: str, position: int) -> tuple[Item, int]:
    value, position = _bare_item(text, position)
    parameters, position = _parameters(text, position)
    return Item(value, parameters), position


def _parameters(text: str, position: int) -> tuple[Parameters, int]:
    parameters: list[tuple[str, BareItem]] = []
    while text.startswith(";", position):
        key, position = _key(text, _spaces(text, position + 1))
        value: BareItem = True
        if text.startswith("=", position):
            value, position = _bare_item(text, position + 1)
        parameters.append((key, value))
    return tuple(parameters), position


def _bare_item(text: str, position: int) -> tuple[BareItem, int]:
    pattern, read = _READERS.get(text[position : position + 1], _OTHERWISE)
    match = _matched(pattern, text, position)
    return read(match), match.end()


def _number(match: re.Match[str]) -> int | Decimal:
    return Decimal(match.group()) if match.group(1) is None else int(match.group())


def _string(match: re.Match[str]) -> str:
    return re.sub(r"\\(.)", r"\1", match.group(1))


def _octets(match: re.Match[str]) -> bytes:
    octets = decode_base64(match.group(1))
    if octets is None:
        raise StructuredFieldError
    return octets


def _boolean(match: re.Match[str]) -> bool:
    return match.group(1) == "1"


def _token(match: re.Match[str]) -> Token:
    return Token(match.group())


_Reader = tuple[re.Pattern[str], Callable[[re.Match[str]], BareItem]]
_OTHERWISE: Final[_Reader] = (_TOKEN, _token)
_READERS: Final[dict[str, _Reader]] = {
    **dict.fromkeys("-0123456789", (_NUMBER, _number)),
    '"': (_STRING, _string),
    ":": (_BYTES, _octets),
    "?": (_BOOLEAN, _boolean),
}
