"""Client identifiers: their form, and why nobody can guess one (RFC 6749 §2.2)."""

import re
from base64 import b32encode
from collections.abc import Callable
from datetime import datetime
from string import Formatter
from uuid import UUID

from enrol.oauth.types import ClientId

Random = Callable[[int], bytes]

LEGAL_ID = "legal_id"
_NOT_IN_A_PATH = re.compile(r"[^A-Za-z0-9._~-]")
_LONGEST_TEXT = 20
_LONGEST_LEGAL_ID = 66  # with the longest text and the longest end, 126 characters


def new_client_id(form: str, *, legal_id: str, at: datetime, random: Random) -> ClientId:
    """Return a new identifier of a form that `find_form_mistake` finds nothing wrong with.

    `legal_id` is the agent's or the organisation's; characters a path cannot carry become ``-``.
    """
    if form == "{ordered}":
        return ClientId(_ordered(at, random))
    words = {name: make(at, random) for name, make in _UNGUESSABLE.items() if name in form}
    words[LEGAL_ID] = _NOT_IN_A_PATH.sub("-", legal_id[:_LONGEST_LEGAL_ID])
    return ClientId(form.format_map(words))


def find_form_mistake(form: str) -> str | None:
    """Return what is wrong with a form, None where nothing is."""
    try:
        parts = list(Formatter().parse(form))
    except ValueError:
        return "has a brace without its other"
    names = [name for _, name, _, _ in parts if name is not None]
    if not {*names} <= {LEGAL_ID, *_UNGUESSABLE} or any(spec or turn for _, _, spec, turn in parts):
        return f"may hold {{{LEGAL_ID}}} and {', '.join(f'{{{name}}}' for name in _UNGUESSABLE)}"
    if sum(name in _UNGUESSABLE for name in names) != 1 or names.count(LEGAL_ID) > 1:
        return f"must hold one of {', '.join(f'{{{name}}}' for name in _UNGUESSABLE)}, once"
    text = "".join(part for part, *_ in parts)
    if len(text) > _LONGEST_TEXT or _NOT_IN_A_PATH.search(text):
        return f"must be letters, digits and ._~- outside braces, {_LONGEST_TEXT} at most"
    return None


def _ordered(at: datetime, random: Random) -> str:
    """Return 48 bits of time, for the index, and 80 random bits, against guessing."""
    return f"{int(at.timestamp() * 1000):012x}{random(10).hex()}"


_UNGUESSABLE: dict[str, Callable[[datetime, Random], str]] = {
    "ordered": _ordered,
    "uuid": lambda _, random: str(UUID(bytes=random(16), version=4)),
    "hex40": lambda _, random: random(20).hex(),
    "random": lambda _, random: b32encode(random(10)).decode("ascii"),
}
