"""Text from the other side, made safe to show on a terminal."""

_LONGEST = 500


def printable(text: str) -> str:
    """Return `text` with every control, format and unassigned character replaced but line feeds."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)


def printable_line(value: object) -> str | None:
    """Return a JSON value as one line of at most 500 characters; None unless it is text."""
    if not isinstance(value, str) or not value.strip():
        return None
    line = printable(value).replace("\n", " ").strip()
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
