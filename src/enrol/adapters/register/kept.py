"""The register kept small: its institutions in a SQLite file of their own, swapped in one step.

The file is made whole beside the old one and never changed afterwards, so a reader is never in
the way of a writer.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import msgspec

from enrol.adapters.files import sync
from enrol.eidas.register import EntityType, RegisterEntry
from enrol.errors import ConfigurationError

_APPLICATION: Final = 0x656E7265  # "enre"
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE about (made_at TEXT NOT NULL, entities INTEGER NOT NULL);
CREATE TABLE entries (id INTEGER PRIMARY KEY, code TEXT NOT NULL, authority TEXT NOT NULL,
  type TEXT NOT NULL, name TEXT NOT NULL, reference TEXT, changes TEXT NOT NULL,
  services TEXT NOT NULL);
CREATE INDEX entries_code ON entries (code);
CREATE TABLE numbers (number TEXT NOT NULL, entry INTEGER NOT NULL REFERENCES entries (id),
  PRIMARY KEY (number, entry)) WITHOUT ROWID;
"""
_BY_NUMBER: Final = (
    "SELECT * FROM entries WHERE id IN (SELECT entry FROM numbers WHERE number = ?) LIMIT 32"
)
_BY_CODE: Final = "SELECT * FROM entries WHERE code = ? LIMIT 32"
_BY_NAME: Final = (
    "SELECT * FROM entries WHERE instr(lower(name), lower(?1)) OR instr(lower(code), lower(?1)) "
    "OR instr(lower(reference), lower(?1)) ORDER BY code LIMIT 200"
)

_encode: Final = msgspec.json.Encoder().encode
_decode_changes: Final = msgspec.json.Decoder(tuple[date, ...]).decode
_decode_services: Final = msgspec.json.Decoder(tuple[tuple[str, frozenset[str]], ...]).decode


@dataclass(frozen=True, slots=True)
class RegisterOverview:
    """What a kept register holds, and of when it is (aware UTC)."""

    made_at: datetime
    entities: int
    kept: dict[str, int]


class RegisterDraft:
    """A register in the making."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, entry: RegisterEntry) -> None:
        """Write an entry."""
        cursor = self._connection.execute(
            "INSERT INTO entries VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(
                    entry.code,
                    entry.authority,
                    entry.entity_type.value,
                    entry.name,
                    entry.reference,
                ),
                _encode(entry.status_changes).decode(),
                _encode([(host, sorted(codes)) for host, codes in entry.services]).decode(),
            ),
        )
        self._connection.executemany(
            "INSERT INTO numbers VALUES (?, ?)", [(one, cursor.lastrowid) for one in entry.numbers]
        )

    def close(self, made_at: datetime, entities: int) -> None:
        """Write of when it is (aware UTC), and of how many entities it was made."""
        self._connection.execute("INSERT INTO about VALUES (?, ?)", (made_at.isoformat(), entities))


@contextmanager
def draft_register(path: Path) -> Iterator[RegisterDraft]:
    """Give out a new, empty register; swap it in at `path` unless what it is used for fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft)) as connection:
            connection.executescript(
                f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; "
                f"PRAGMA application_id={_APPLICATION}; PRAGMA user_version={_VERSION}; {_SCHEMA}"
            )
            yield RegisterDraft(connection)
            connection.commit()
        sync(draft)
        draft.replace(path)
        sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


class KeptRegister:
    """One state of the kept register, open for reading."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises ConfigurationError ``register_unreadable``."""
        self._path = path
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            try:
                self._check_format()
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, ValueError) as exc:
            raise ConfigurationError(
                "register_unreadable",
                f"{path} is no register; `enrol register import` makes one.",
            ) from exc

    def _check_format(self) -> None:
        marks = [
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        ]
        if marks != [_APPLICATION, _VERSION]:
            raise ValueError("another format")

    def overview(self) -> RegisterOverview:
        """Return what it holds."""
        made_at, entities = self._connection.execute("SELECT * FROM about").fetchone()
        kept = self._connection.execute("SELECT type, count(*) FROM entries GROUP BY type")
        return RegisterOverview(
            made_at=datetime.fromisoformat(made_at).astimezone(UTC),
            entities=entities,
            kept=dict(kept.fetchall()),
        )

    def numbered(self, number: str) -> tuple[RegisterEntry, ...]:
        """Return the entries, of every authority, that a normalised number names."""
        return self._find(_BY_NUMBER, number)

    def coded(self, code: str) -> tuple[RegisterEntry, ...]:
        """Return the entries under an EntityCode."""
        return self._find(_BY_CODE, code)

    def search(self, text: str) -> tuple[RegisterEntry, ...]:
        """Return entries with `text` in their name or numbers, at most 200."""
        return self._find(_BY_NAME, text)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _find(self, statement: str, parameter: str) -> tuple[RegisterEntry, ...]:
        return tuple(map(_entry, self._connection.execute(statement, (parameter,)).fetchall()))


def _entry(row: Iterable[str]) -> RegisterEntry:
    _, code, authority, kind, name, reference, changes, services = row
    return RegisterEntry(
        authority=authority,
        code=code,
        entity_type=EntityType(kind),
        name=name,
        reference=reference,
        status_changes=_decode_changes(changes),
        services=_decode_services(services),
    )
