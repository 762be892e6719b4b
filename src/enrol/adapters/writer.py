"""Writes batches of changes into the register: each change whole or not at all."""

import time
from collections.abc import Callable, Sequence

import structlog

from enrol.adapters.chain import Chain
from enrol.adapters.connection import Connection, Engine
from enrol.adapters.outbox import NOTHING_TOLD, OutboxWriter
from enrol.adapters.transaction import Outcome, Transaction, Write
from enrol.errors import UnavailableError

_log = structlog.get_logger(__name__)


class Writer:
    """Owns the connection that writes; used by one thread at a time.

    `begin` begins a transaction beside which no other writes.
    """

    def __init__(
        self,
        connection: Connection,
        engine: Engine,
        begin: Callable[[], object],
        *,
        outbox: OutboxWriter = NOTHING_TOLD,
    ) -> None:
        self._connection = connection
        self._engine = engine
        self._begin = begin
        self._outbox = outbox
        self._chain = Chain(connection)
        self.failed = False
        """True when the disk lost a write or the file is damaged: only a new start helps."""
        self.failed_at: float | None = None
        """When the database last refused a batch, on the monotonic clock."""

    def write(self, batch: Sequence[Write]) -> list[Outcome]:
        """Make a batch durable in one transaction and return the outcome of each write.

        Where one write breaks the transaction, each is tried in its own, so that it alone fails.
        """
        if self.failed:
            return [UnavailableError("storage_unavailable") for _ in batch]
        try:
            return self._transact(batch)
        except self._engine.errors as exc:
            if len(batch) == 1 or not isinstance(exc, self._engine.of_the_row):
                self._report(exc)
                return [_unavailable(exc) for _ in batch]
        except Exception as exc:  # it belongs to whoever asked for what cannot be written
            if len(batch) == 1:
                return [exc]
        return self._write_each(batch)

    def _write_each(self, batch: Sequence[Write]) -> list[Outcome]:
        """Write each in a transaction of its own, until the database is not there any more."""
        outcomes: list[Outcome] = []
        failed_at = self.failed_at
        for write in batch:
            if self.failed_at == failed_at:
                outcomes += self.write([write])
            else:
                outcomes.append(UnavailableError("storage_unavailable"))
        return outcomes

    def _transact(self, batch: Sequence[Write]) -> list[Outcome]:
        if self._engine.is_shared:
            self._chain.forget()
        try:
            self._begin()
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
        except self._engine.errors as exc:
            self._report(exc)

    def _commit(self) -> None:
        """End the transaction; when this returns, it is on disk."""
        self._connection.execute("COMMIT")

    def _roll_back(self) -> None:
        """Undo the transaction, unless the database has done so already."""
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except self._engine.errors as exc:
            self.failed = self._connection.in_transaction  # it ends with its connection, too
            self._report(exc)

    def _report(self, exc: Exception) -> None:
        if not isinstance(exc, self._engine.of_the_row):
            self.failed_at = time.monotonic()
        if self._engine.is_fatal(exc):
            self.failed = True
        _log.error("storage_failed", cause=self._engine.name_of(exc), restart_needed=self.failed)


def _unavailable(exc: Exception) -> UnavailableError:
    error = UnavailableError("storage_unavailable")
    error.__cause__ = exc
    return error
