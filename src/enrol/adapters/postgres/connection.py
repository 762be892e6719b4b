"""A connection to PostgreSQL that is used by one thread and waits for its answers.

It has those methods of a SQLite connection that the register uses, so that one transaction is
written for both databases. asyncpg speaks to the server; each connection has a loop of its own.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Self, TypeVar

import asyncpg
import uvloop

from enrol.adapters.postgres.hosts import each_host, first_of
from enrol.adapters.rows import Row
from enrol.adapters.sql import Statement

T = TypeVar("T")

LOST: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,  # the server does not write any more: another one does
)
"""What asyncpg raises where the server is not there, not any more, or not for us."""

WRITER_LOCK: Final = 0x456E726F6C  # "Enrol" in ASCII
"""The advisory lock of whoever writes: one transaction at a time, as in SQLite."""

_BEGIN: Final = f"BEGIN ISOLATION LEVEL READ COMMITTED; SELECT pg_advisory_xact_lock({WRITER_LOCK})"
"""Begins a transaction whose statements see all that those who had the lock before have written.

In any other isolation they would see what was there before the lock was waited for.
"""

_CONNECT: Final = 2.0
_ANSWER: Final = 3.5
"""How long is waited for PostgreSQL, in seconds: who is queued behind a batch that hangs waits for
its answer, for a new connection and for a reader, which together stay below eight.
"""

_NEVER: Final = 86_400.0
_PAUSES: Final = (0.0, 0.1, 0.5)
_CACHED_STATEMENTS: Final = 256

_SESSION: Final = {
    "lock_timeout": "3s",
    "idle_in_transaction_session_timeout": "5s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "25000",
}
"""How soon PostgreSQL lets go of the locks of a machine that is gone: others wait for them."""


async def connect(dsn: str, *, application: str = "enrol") -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection to a server that writes, for statements that are answered in no time.

    Raises one of `LOST` or `asyncpg.PostgresError`.
    """
    return await _connect(dsn, application, answer=_ANSWER, session=_SESSION)


async def connect_patiently(dsn: str, *, application: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection as `connect` does, for statements that may take long."""
    return await _connect(dsn, application, answer=None, session={})


async def _connect(
    dsn: str, application: str, *, answer: float | None, session: Mapping[str, str]
) -> "asyncpg.Connection[asyncpg.Record]":
    attempts = [
        partial(
            asyncpg.connect,
            host,
            timeout=_CONNECT,
            command_timeout=answer,
            statement_cache_size=_CACHED_STATEMENTS,
            server_settings={"application_name": application, **session},
            target_session_attrs=asyncpg.connect_utils.SessionAttribute.read_write,
        )
        for host in each_host(dsn)
    ]
    async with asyncio.timeout(_CONNECT):
        return await first_of(attempts)


class Found:
    """The rows a statement found, as a cursor of SQLite gives them."""

    def __init__(self, rows: Sequence[asyncpg.Record]) -> None:
        self._rows = [tuple(row) for row in rows]

    def fetchall(self) -> list[Row]:
        """Return every row."""
        return self._rows

    def fetchone(self) -> Row | None:
        """Return the first row."""
        return self._rows[0] if self._rows else None

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows)


class WaitingConnection:
    """A connection whose methods return when the server has answered."""

    def __init__(self, dsn: str, *, application: str = "enrol", is_patient: bool = False) -> None:
        """Connect; raises one of `LOST` or `asyncpg.PostgresError`."""
        self._reach = connect_patiently if is_patient else connect
        self._loop = uvloop.new_event_loop()
        self._connection: asyncpg.Connection[asyncpg.Record]
        self._dsn, self._application = dsn, application
        try:
            self._connection = self._loop.run_until_complete(self._connect())
        except BaseException:
            self._loop.close()
            raise

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is begun and not ended."""
        return not self._connection.is_closed() and self._connection.is_in_transaction()

    def execute(self, statement: str, parameters: Sequence[object] = ()) -> Found:
        """Execute one statement and return what it finds."""
        if statement == "COMMIT":
            return Found(self._wait(self._commit()))
        text, values = _both(statement, tuple(parameters))
        return Found(self._wait(self._connection.fetch(text, *values)))

    def executemany(self, statement: str, rows: Sequence[Row]) -> None:
        """Execute a statement for each row, in one exchange with the server."""
        text, values = _all(statement, rows)
        self._wait(self._connection.executemany(text, values))

    def begin(self) -> None:
        """Begin a transaction that writes, alone; a lost connection is made anew, a few times.

        A server that does not answer is not waited for twice.
        """
        for pause in _PAUSES:
            time.sleep(pause)
            try:
                if self._connection.is_closed():
                    self._connection = self._wait(self._connect())
                self._wait(self._connection.execute(_BEGIN))
            except TimeoutError:
                raise
            except LOST as exc:
                trouble: Exception = exc
            else:
                return
        raise trouble

    def close(self) -> None:
        """End the connection and its loop, whether the server is there or not."""
        try:
            with suppress(*LOST):
                self._wait(self._connection.close(timeout=_CONNECT))
        finally:
            self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await self._reach(self._dsn, application=self._application)

    async def _commit(self) -> Sequence[asyncpg.Record]:
        """Commit; where that takes too long the connection is given up, and nothing is cancelled.

        A commit that is cancelled while it waits for a standby stands, and would be read and
        acknowledged although the standby does not have it.
        """
        end = asyncio.get_running_loop().call_later(_ANSWER, self._connection.terminate)
        try:
            rows: Sequence[asyncpg.Record] = await self._connection.fetch("COMMIT", timeout=_NEVER)
        finally:
            end.cancel()
        return rows

    def _wait(self, answer: Coroutine[Any, Any, T]) -> T:
        """Return the answer; a connection on which none comes is given up, its transaction too."""
        try:
            return self._loop.run_until_complete(answer)
        except LOST as exc:
            if not isinstance(exc, ValueError):  # that is a value that cannot be sent
                self._connection.terminate()
            raise


def _both(statement: str, values: Row) -> tuple[str, Row]:
    if isinstance(statement, Statement):
        return statement.postgres, statement.arranged(values)
    return statement, values


def _all(statement: str, rows: Sequence[Row]) -> tuple[str, Sequence[Row]]:
    if isinstance(statement, Statement):
        return statement.postgres, [statement.arranged(row) for row in rows]
    return statement, rows
