"""The audit trail in a register, read beside the server that writes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from enrol.adapters import statements
from enrol.adapters.location import Location
from enrol.adapters.rows import Row
from enrol.adapters.view import RegisterView, open_view
from enrol.registration.chain import GENESIS, ChainedEvent, Head

_AT_ONCE: Final = 200
"""Rows read in one step: a few megabytes, and too short for the server's log to grow long."""


class DatabaseTrail:
    """The trail of a register as it is when it is opened; what comes later is not seen.

    Every method raises `ConfigurationError` where it cannot be read.
    """

    def __init__(self, view: RegisterView) -> None:
        self._view = view
        with view.moment():
            last = view.first(statements.FIND_HEAD)
            given = view.first(statements.FIND_LAST_ID)
            (blob,) = view.first(statements.FIND_LAST_BLOB) or (None,)
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
        found = self._view.first(statements.FIND_BLOB, sha256)
        return found[0] if found else None

    def event(self, event_id: int) -> ChainedEvent | None:
        """Return one event."""
        row = self._view.first(statements.FIND_EVENTS, event_id - 1, event_id, 1)
        return ChainedEvent(*row) if row else None

    def first_from(self, event_id: int) -> ChainedEvent | None:
        """Return the first event with this number or a higher one."""
        row = self._view.first(statements.FIND_EVENTS, event_id - 1, self._last_id, 1)
        return ChainedEvent(*row) if row else None

    def named(self, name: str) -> list[int]:
        """Return the numbers of the events of a client_id, request id or type, oldest first."""
        found = self._view.rows(statements.FIND_EVENTS_NAMED, name, name, name)
        return [event_id for (event_id,) in found]

    def _rows(self, statement: str, last: int) -> Iterator[Row]:
        after = -1
        while True:
            rows = self._view.rows(statement, after, last, _AT_ONCE)
            yield from rows
            if len(rows) < _AT_ONCE:
                return
            after = rows[-1][0]


@contextmanager
def open_trail(location: Location) -> Iterator[DatabaseTrail]:
    """Open the trail of a register; raises `ConfigurationError`."""
    with open_view(location, any_text=True) as view:
        yield DatabaseTrail(view)
