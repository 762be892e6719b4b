"""Where a register is."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_SHOWN: Final = re.compile(
    r"(postgres(?:ql)?://)(?:[^@/?#]*@)?([\w.,:%\[\]-]*(?:/[\w.-]*)?)(?:\?[^@#]*)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A database of PostgreSQL, ``postgresql://…``; it is shown without user and password.

    One whose parts cannot be told apart is not shown at all.
    """

    url: str = field(repr=False)

    def __str__(self) -> str:
        match = _SHOWN.fullmatch(self.url)
        return "".join(match.groups()) if match else "PostgreSQL"


Location = Path | PostgresUrl
"""The file of SQLite, or the database of PostgreSQL."""
