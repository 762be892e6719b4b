"""Writes batches of changes into SQLite: each change whole or not at all."""

import sqlite3
import time
from collections.abc import Sequence
from typing import Final

import structlog

from enrol.adapters.chain import Chain
from enrol.adapters.outbox import NOTHING_TOLD, OutboxWriter
from enrol.adapters.transaction import Outcome, Transaction, Write
from enrol.errors import UnavailableError

_log = structlog.get_logger(__name__)

_OF_THE_ROW: Final = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
)
"""What is wrong with what was written; every other error of SQLite is of the file or the disk."""

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


class Writer:
    """Owns the connection that writes; used by one thread at a time."""

    def __init__(
        self, connection: sqlite3.Connection, *, outbox: OutboxWriter = NOTHING_TOLD
    ) -> None:
        self._connection = connection
        self._outbox = outbox
        self._chain = Chain(connection)
        self.failed = False
        """True when the disk lost a write or the file is damaged: only a new start helps."""
        self.failed_at: float | None = None
        """When the file or the disk last refused a batch, on the monotonic clock."""

    def write(self, batch: Sequence[Write]) -> list[Outcome]:
        """Make a batch durable in one transaction and return the outcome of each write.

        Where one write breaks the transaction, each is tried in its own, so that it alone fails.
        """
        if self.failed:
            return [UnavailableError("storage_unavailable") for _ in batch]
        try:
            return self._transact(batch)
        except (sqlite3.Error, OSError) as exc:
            if len(batch) == 1 or not isinstance(exc, _OF_THE_ROW):
                self._report(exc)
                return [_unavailable(exc) for _ in batch]
        except Exception as exc:  # it belongs to whoever asked for what cannot be written
            if len(batch) == 1:
                return [exc]
        return [self.write([write])[0] for write in batch]

    def _transact(self, batch: Sequence[Write]) -> list[Outcome]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            transaction = Transaction(self._connection, batch, self._chain, outbox=self._outbox)
            outcomes = [transaction.take(write) for write in batch]
            links = transaction.flush()
            self._commit()
        except BaseException:
            self._chain.forget()
            self._roll_back()
            raise
        self._chain.advance(links)
        return outcomes

    def log_head(self) -> None:
        """Log where the audit trail ends, for whoever keeps the log elsewhere."""
        try:
            self._chain.log_head()
        except sqlite3.Error as exc:
            self._report(exc)

    def _commit(self) -> None:
        """End the transaction; when this returns, the log is on disk (``synchronous=FULL``)."""
        self._connection.execute("COMMIT")

    def _roll_back(self) -> None:
        """Undo the transaction, unless SQLite has done so already."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error as exc:
            self.failed = True
            self._report(exc)

    def _report(self, exc: sqlite3.Error | OSError) -> None:
        if not isinstance(exc, _OF_THE_ROW):
            self.failed_at = time.monotonic()
        if getattr(exc, "sqlite_errorcode", None) in _FATAL:
            self.failed = True
        _log.error(
            "storage_failed",
            cause=getattr(exc, "sqlite_errorname", type(exc).__name__),
            restart_needed=self.failed,
        )


def _unavailable(exc: Exception) -> UnavailableError:
    error = UnavailableError("storage_unavailable")
    error.__cause__ = exc
    return error
