"""Where a register is."""

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A database of PostgreSQL, ``postgresql://…``; it is shown without user and password."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


Location = Path | PostgresUrl
"""The file of SQLite, or the database of PostgreSQL."""
