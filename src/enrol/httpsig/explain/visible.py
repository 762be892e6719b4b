"""Octets made visible, and where two signing strings part."""

from dataclasses import dataclass
from typing import Final

_ESCAPES: Final = {0x09: "\\t", 0x0A: "\\n", 0x0D: "\\r", 0x5C: "\\\\"}


@dataclass(frozen=True, slots=True)
class Difference:
    """The first line in which two signing strings differ.

    `line` and `column` count from 1; `computed` and `claimed` are that line with escapes, None
    where that string has ended.
    """

    line: int
    column: int
    computed: str | None
    claimed: str | None


def visible(octets: bytes) -> str:
    """Return octets as one line of ASCII: what cannot be seen, blanks at the ends too, escaped."""
    inner = octets.strip(b" ")
    before = len(octets) - len(octets.lstrip(b" "))
    after = len(octets) - len(inner) - before if inner else 0
    return "\\x20" * before + "".join(map(_visible_octet, inner)) + "\\x20" * after


def first_difference(computed: bytes, claimed: bytes) -> Difference | None:
    """Return where a claimed signing string departs from the computed one, None if it does not."""
    if computed == claimed:
        return None
    ours, theirs = computed.split(b"\n"), claimed.split(b"\n")
    number = 0
    while ours[number : number + 1] == theirs[number : number + 1]:
        number += 1
    our, their = _line(ours, number), _line(theirs, number)
    shortest = min(len(our or b""), len(their or b""))
    column = next(
        (i for i in range(shortest) if (our or b"")[i] != (their or b"")[i]),
        shortest,
    )
    return Difference(
        number + 1,
        column + 1,
        None if our is None else visible(our),
        None if their is None else visible(their),
    )


def _line(lines: list[bytes], number: int) -> bytes | None:
    return lines[number] if number < len(lines) else None


def _visible_octet(octet: int) -> str:
    if octet in _ESCAPES:
        return _ESCAPES[octet]
    return chr(octet) if 0x20 <= octet <= 0x7E else f"\\x{octet:02x}"
