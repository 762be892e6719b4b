"""The audit trail in a register, read beside the server that writes it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from enrol.adapters import statements
from enrol.adapters.database import connect_to_read, translated
from enrol.adapters.rows import Row
from enrol.registration.chain import GENESIS, ChainedEvent, Head

_AT_ONCE: Final = 200
"""Rows read in one step: a few megabytes, and too short for the server's log to grow long."""


class DatabaseTrail:
    """The trail of a register as it is when it is opened; what comes later is not seen.

    Every method raises `ConfigurationError` where the file cannot be read.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        with translated(path):
            connection.execute("BEGIN")  # what is read until its end is of one moment
            last = self._first(statements.FIND_HEAD)
            given = self._first(statements.FIND_LAST_ID)
            (blob,) = self._first(statements.FIND_LAST_BLOB) or (None,)
            connection.execute("COMMIT")
        self._last_blob = blob or 0
        event_id, self._hash = last or (0, GENESIS)
        self._last_id = event_id
        self._given_id = max(event_id, given[0] if given else 0)

    @property
    def head(self) -> Head:
        """The hash of the last event there is, and the number of the last event there ever was."""
        return Head(self._given_id, self._hash)

    def events(self) -> Iterator[ChainedEvent]:
        """Return every event, oldest first."""
        for row in self._rows(statements.FIND_EVENTS, self._last_id):
            yield ChainedEvent(*row)

    def blobs(self) -> Iterator[tuple[bytes, bytes]]:
        """Return every blob: the SHA-256 it is kept under, and its bytes."""
        for _, sha256, content in self._rows(statements.FIND_BLOBS, self._last_blob):
            yield sha256, content

    def blob(self, sha256: bytes) -> bytes | None:
        """Return the bytes kept under a SHA-256."""
        with translated(self._path):
            found = self._first(statements.FIND_BLOB, sha256)
        return found[0] if found else None

    def event(self, event_id: int) -> ChainedEvent | None:
        """Return one event."""
        with translated(self._path):
            row = self._first(statements.FIND_EVENTS, event_id - 1, event_id, 1)
        return ChainedEvent(*row) if row else None

    def named(self, name: str) -> list[int]:
        """Return the numbers of the events of a client_id, request id or type, oldest first."""
        with translated(self._path):
            found = self._connection.execute(statements.FIND_EVENTS_NAMED, (name,) * 3)
            return [event_id for (event_id,) in found]

    def _rows(self, statement: str, last: int) -> Iterator[Row]:
        after = -1
        while True:
            with translated(self._path):
                rows = self._connection.execute(statement, (after, last, _AT_ONCE)).fetchall()
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1][0]

    def _first(self, statement: str, *parameters: object) -> Row | None:
        row: Row | None = self._connection.execute(statement, parameters).fetchone()
        return row


@contextmanager
def open_trail(path: Path) -> Iterator[DatabaseTrail]:
    """Open the trail of the register at `path`; raises `ConfigurationError`."""
    with closing(connect_to_read(path)) as connection:
        connection.text_factory = _text  # text that was tampered with is to be seen, not to fail
        yield DatabaseTrail(path, connection)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
