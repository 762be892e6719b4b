"""One SQLite file, opened so that what was acknowledged survives a power cut.

A file belongs to one process at a time: Enrol has one writer, and SQLite before 3.51.3 can damage
a file in WAL mode when two connections write and checkpoint at once.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import Final

from enrol.adapters.tables import REVISIONS
from enrol.errors import ConfigurationError

WRITER_PATIENCE: Final = 5.0
"""Seconds a write waits for a lock that another program holds."""

READER_PATIENCE: Final = 0.1
"""Seconds a read waits, on the event loop's thread; in WAL mode readers hardly ever do."""

_SETTINGS: Final = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: a commit returns when the log is on disk
    "foreign_keys": 1,
    "mmap_size": 0,  # a failed read is an error, never a signal
    "trusted_schema": 0,
    "secure_delete": 1,
}
_CACHED_STATEMENTS: Final = 256


class SchemaState(StrEnum):
    """How a database file stands to this version of Enrol."""

    MISSING = "missing"
    EMPTY = "empty"
    FOREIGN = "foreign"
    OUTDATED = "outdated"
    CURRENT = "current"
    UNKNOWN = "unknown"


_REFUSALS: Final = {
    SchemaState.MISSING: "does not exist; `enrol migrate` makes a new one",
    SchemaState.EMPTY: "is empty, and a register never is; restore it, or remove it to begin anew",
    SchemaState.FOREIGN: "is a database of another program",
    SchemaState.OUTDATED: "has an older schema; run `enrol migrate`",
    SchemaState.UNKNOWN: "has a schema this version does not know; use the Enrol that made it",
}


@dataclass(frozen=True, slots=True)
class Database:
    """An open register: one connection that writes and one that reads, and the lock of the file."""

    path: Path
    writer: sqlite3.Connection
    reader: sqlite3.Connection
    lock: FileIO

    def close(self) -> None:
        """Close both connections, which brings the log into the file, and give the lock back."""
        self.reader.close()
        self.writer.close()
        self.lock.close()


def open_database(path: Path) -> Database:
    """Open a register that exists and is up to date; its pages are checked first.

    Raises `ConfigurationError` where another process uses it, where it is missing, damaged or of
    another schema, and where a setting that durability rests on does not hold.
    """
    path = path.resolve()
    with ExitStack() as opened:
        lock = opened.enter_context(acquire_lock(path))
        if not path.exists():
            check_state(path, SchemaState.MISSING, expected=())
        writer = connect(path, patience=WRITER_PATIENCE, expected=(SchemaState.CURRENT,))
        opened.callback(writer.close)
        with translated(path):
            _check_pages(path, writer)
        reader = connect(path, patience=READER_PATIENCE, expected=(SchemaState.CURRENT,))
        reader.execute("PRAGMA query_only=1")
        opened.pop_all()
    return Database(path, writer, reader, lock)


def was_opened(path: Path) -> bool:
    """Whether a register at `path` was opened before, which leaves its lock file behind."""
    return Path(f"{path.resolve()}.lock").exists()


def acquire_lock(path: Path) -> FileIO:
    """Return ``<path>.lock``, locked until it is closed or the process ends."""
    with ExitStack() as opened, translated(path):
        lock = opened.enter_context(FileIO(f"{path}.lock", "a", opener=_for_owner_only))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise ConfigurationError(
                "database_in_use",
                f"{path} is in use by another process. A SQLite register has one server at a "
                "time: stop the other one first.",
            ) from exc
        opened.pop_all()
    return lock


def _for_owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def connect(
    path: Path, *, patience: float, expected: tuple[SchemaState, ...]
) -> sqlite3.Connection:
    """Open one connection to an existing file, if it is as expected, and make its settings hold.

    `patience` is in seconds. Transactions are begun and ended by hand; whoever holds the
    connection sees to it that one thread at a time uses it. Raises `ConfigurationError`.
    """
    with ExitStack() as opened, translated(path):
        connection = _connect(path, patience)
        opened.callback(connection.close)
        check_state(path, _read_state(connection), expected=expected)
        _apply_settings(path, connection)
        opened.pop_all()
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open an up-to-date register for reading only, beside its server or without one.

    This is safe without the lock of the file, also before SQLite 3.51.3: what damages a file there
    is a checkpoint that meets the commit of another connection, and a connection in ``mode=ro``
    makes neither. Read in short steps, as the server's log cannot begin anew during one. Raises
    `ConfigurationError`.
    """
    path = path.resolve()
    if not path.exists():
        check_state(path, SchemaState.MISSING, expected=())
    with ExitStack() as opened, translated(path):
        connection = _connect(path, WRITER_PATIENCE, mode="ro")
        opened.callback(connection.close)
        check_state(path, _read_state(connection), expected=(SchemaState.CURRENT,))
        connection.execute("PRAGMA query_only=1")
        connection.execute("PRAGMA mmap_size=0")
        connection.execute("PRAGMA trusted_schema=0")
        opened.pop_all()
    return connection


def schema_state(path: Path) -> SchemaState:
    """Return how the file at `path` stands to this version.

    Raises `ConfigurationError` where it is no SQLite database, damaged or cannot be opened.
    """
    path = path.resolve()
    if not path.exists():
        return SchemaState.MISSING
    with translated(path), closing(_connect(path, WRITER_PATIENCE)) as connection:
        return _read_state(connection)


def _connect(path: Path, patience: float, *, mode: str = "rw") -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=patience,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_CACHED_STATEMENTS,
    )


def _read_state(connection: sqlite3.Connection) -> SchemaState:
    """Return how the schema behind a connection stands to this version."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    if not tables:
        return SchemaState.EMPTY
    if "alembic_version" not in tables:
        return SchemaState.FOREIGN
    revisions = [name for (name,) in connection.execute("SELECT version_num FROM alembic_version")]
    if revisions == [REVISIONS[-1]]:
        return SchemaState.CURRENT
    return SchemaState.OUTDATED if set(revisions) < set(REVISIONS) else SchemaState.UNKNOWN


def check_state(path: Path, state: SchemaState, *, expected: tuple[SchemaState, ...]) -> None:
    """Raise `ConfigurationError` unless `state` is one of `expected`."""
    if state not in expected:
        raise ConfigurationError(f"database_{state}", f"{path} {_REFUSALS[state]}.")


def _apply_settings(path: Path, connection: sqlite3.Connection) -> None:
    for name, value in _SETTINGS.items():
        connection.execute(f"PRAGMA {name}={value}")
        (actual,) = connection.execute(f"PRAGMA {name}").fetchone() or (0,)
        if actual != value:
            raise ConfigurationError(
                "database_settings",
                f"{path}: {name} is {actual} and must be {value}. Is it on a network file system?",
            )


def _check_pages(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a damaged file before anything is written to it; takes a second a gigabyte or so."""
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _corrupt(path)


def _corrupt(path: Path) -> ConfigurationError:
    return ConfigurationError(
        "database_corrupt", f"{path} is damaged or no SQLite database; restore it from a backup."
    )


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the operating system say of a file into words for the operator."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as exc:
        raise ConfigurationError(
            "database_unusable",
            f"{path} cannot be opened for reading and writing; check that the file and its folder "
            "belong to the user of this process, and that the disk has room.",
        ) from exc
    except sqlite3.DatabaseError as exc:
        raise _corrupt(path) from exc
