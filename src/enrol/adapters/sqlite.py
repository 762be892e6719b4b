"""The register in a SQLite file: what its errors mean, how it is read and opened.

Reads run on the event loop's thread, as they take microseconds.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from enrol.adapters import statements
from enrol.adapters.connection import Engine
from enrol.adapters.database import open_database
from enrol.adapters.outbox import OutboxNews, OutboxWriter
from enrol.adapters.rows import Row
from enrol.adapters.store import RegisterStore, SoleDuty, StoreSettings
from enrol.adapters.writer import Writer
from enrol.errors import UnavailableError
from enrol.registration.meters import CommitMeter

T = TypeVar("T")

_FATAL: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR_FSYNC,  # the kernel may have thrown away what it could not write
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_CORRUPT_INDEX,
        sqlite3.SQLITE_CORRUPT_SEQUENCE,
        sqlite3.SQLITE_CORRUPT_VTAB,
        sqlite3.SQLITE_NOTADB,
    }
)

SQLITE: Final = Engine(
    errors=(sqlite3.Error, OSError),
    of_the_row=(
        sqlite3.IntegrityError,
        sqlite3.DataError,
        sqlite3.ProgrammingError,
        sqlite3.InterfaceError,
    ),
    is_fatal=lambda exc: getattr(exc, "sqlite_errorcode", None) in _FATAL,
    name_of=lambda exc: getattr(exc, "sqlite_errorname", type(exc).__name__),
)


class SqliteReader:
    """The connection that reads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch(
        self, statement: str, parameters: Row, convert: Callable[[Sequence[Row]], T]
    ) -> T:
        """Return what `convert` makes of the rows a statement finds; raises `UnavailableError`."""
        try:
            return convert(self._connection.execute(statement, parameters).fetchall())
        except (sqlite3.Error, msgspec.DecodeError) as exc:
            raise UnavailableError("storage_unavailable") from exc

    def healthy(self) -> bool:
        """Return whether the file can be read."""
        try:
            self._connection.execute(statements.FIND_TOKEN, (b"",)).fetchall()
        except sqlite3.Error:
            return False
        return True

    async def watch(self) -> None:
        """Return, as `healthy` looks whenever it is asked."""

    async def aclose(self) -> None:
        """Do nothing: the connection is closed with the file."""


def open_sqlite(
    path: Path, settings: StoreSettings | None = None, *, meter: CommitMeter | None = None
) -> RegisterStore:
    """Open the register at `path`; raises `ConfigurationError` as `open_database` does."""
    settings = settings or StoreSettings()
    database = open_database(path)
    writer = Writer(
        database.writer,
        SQLITE,
        lambda: database.writer.execute("BEGIN IMMEDIATE"),
        outbox=OutboxWriter(settings.told),
    )
    reader = SqliteReader(database.reader)
    return RegisterStore(
        *(reader, writer, database.close),
        duty=SoleDuty(),
        news=OutboxNews(),
        settings=settings,
        meter=meter,
    )
