"""JSON texts, read strictly: one meaning or none (RFC 8259 §4, §8; RFC 7493)."""

import json
import math
import re
from typing import Final, NoReturn

import msgspec

from enrol.errors import ClientMetadataError, Finding

MAXIMUM_DEPTH = 16
MAXIMUM_MEMBERS = 100
_LONGEST_NUMBER = 32
_OVERLONG = b":" + b"0" * (_LONGEST_NUMBER + 1)
_NUMBERS_AS_0 = bytes.maketrans(b",[-123456789", b":::000000000")

JsonObject = dict[str, object]

_read: Final = msgspec.json.Decoder().decode
_write: Final = msgspec.json.Encoder().encode

_OUTSIDE_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')


def refuse(code: str) -> ClientMetadataError:
    """Return the refusal of a body that is no acceptable JSON text."""
    return ClientMetadataError(Finding(code))


class _BrokenRuleError(ValueError):
    """Carries a code out of the decoder's hooks."""


def _no_duplicates(pairs: list[tuple[str, object]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _BrokenRuleError("json_duplicate_member")
    if len(pairs) > MAXIMUM_MEMBERS:
        raise _BrokenRuleError("json_too_many_members")
    return members


def _no_constant(_text: str) -> NoReturn:
    raise _BrokenRuleError("json_number")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise _BrokenRuleError("json_number")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _BrokenRuleError("json_number")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_constant=_no_constant,
    parse_int=_integer,
    parse_float=_finite,
)


def parse_json_object(body: bytes) -> JsonObject:
    """Return the JSON object that `body` is.

    Refused are: text that is not UTF-8 or has a byte order mark, lone surrogates, duplicate
    names, more than 100 members or 16 levels, NaN, infinities and overlong numbers, anything but
    one object. Raises `ClientMetadataError`.
    """
    _check_depth(body)
    return _read_compact(body) or _read_any(body)


def _read_compact(body: bytes) -> JsonObject | None:
    """Return the object in a text that is written the shortest way, None for any other text.

    Most clients write so. What comes out the same when it is written again says no name twice,
    and nothing that is lost in reading. It takes half of the time that the other way takes.
    """
    if body.count(b":") > MAXIMUM_MEMBERS or _OVERLONG in body.translate(_NUMBERS_AS_0):
        return None
    try:
        value = _read(body)
        if isinstance(value, dict) and _write(value) == body:
            return value
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        pass
    return None


def _read_any(body: bytes) -> JsonObject:
    try:
        value = _DECODER.decode(body.decode("utf-8"))
        if rb"\u" in body:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except _BrokenRuleError as exc:
        raise refuse(str(exc)) from exc
    except UnicodeError as exc:
        raise refuse("json_not_utf8") from exc
    except (ValueError, RecursionError) as exc:
        raise refuse("json_malformed") from exc
    if not isinstance(value, dict):
        raise refuse("json_not_object")
    return value


def _check_depth(body: bytes) -> None:
    """Refuse more than 16 levels, before a recursive parser sees them."""
    if body.count(b"[") + body.count(b"{") <= MAXIMUM_DEPTH:
        return
    depth = 0
    for match in _OUTSIDE_STRINGS.finditer(body):
        match match[0]:
            case b"[" | b"{":
                depth += 1
                if depth > MAXIMUM_DEPTH:
                    raise refuse("json_too_deep")
            case b"]" | b"}":
                depth -= 1
            case _:  # a string: its brackets do not count
                continue
