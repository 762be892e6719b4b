"""Reads from PostgreSQL beside each other, on the event loop."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeVar

import asyncpg
import msgspec

from enrol.adapters import statements
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import LOST, connect
from enrol.adapters.rows import Row
from enrol.adapters.sql import Statement
from enrol.errors import UnavailableError

T = TypeVar("T")

AT_ONCE: Final = 8
"""Connections of a server that read."""

_PATIENCE: Final = 2.0
_WATCHED_EVERY: Final = 1.0


class PostgresReader:
    """A few connections that read; one that is lost is made anew when it is needed next."""

    def __init__(self, location: PostgresUrl) -> None:
        self._url = location.url
        self._free: asyncio.Queue[asyncpg.Connection[asyncpg.Record] | None] = asyncio.Queue()
        for _ in range(AT_ONCE):
            self._free.put_nowait(None)
        self._is_there = True

    async def fetch(
        self, statement: Statement, parameters: Row, convert: Callable[[Sequence[Row]], T]
    ) -> T:
        """Return what `convert` makes of the rows a statement finds.

        Raises `UnavailableError` ``storage_unavailable`` where they cannot be found or understood.
        """
        text, values = statement.postgres, statement.arranged(parameters)
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await self._rows(text, values)
            self._is_there = True
            return convert([tuple(row) for row in found])
        except (*LOST, asyncpg.PostgresError) as exc:
            self._is_there = False
            raise UnavailableError("storage_unavailable", retry_after=1) from exc
        except msgspec.DecodeError as exc:
            raise UnavailableError("storage_unavailable") from exc

    def healthy(self) -> bool:
        """Return whether the server was there when it was asked last."""
        return self._is_there

    async def watch(self) -> None:
        """Ask the server every second whether it is there; to be cancelled."""
        while True:
            with suppress(UnavailableError):
                await self.fetch(statements.FIND_TOKEN, (b"",), len)
            await asyncio.sleep(_WATCHED_EVERY)

    async def aclose(self) -> None:
        """Give every connection up; nothing is being read any more."""
        while not self._free.empty():
            connection = self._free.get_nowait()
            if connection is not None:
                connection.terminate()

    async def _rows(self, text: str, values: Row) -> Sequence[asyncpg.Record]:
        """Ask on a free connection, and once more on a new one where that turns out lost.

        A connection that has not answered yet is not used again. Nothing is found under what
        PostgreSQL cannot hold, such as a text with NUL.
        """
        connection = await self._free.get()
        try:
            if connection is not None:
                try:
                    return await _fetch(connection, text, values)
                except LOST:
                    connection.terminate()
            connection = None
            connection = await connect(self._url)
            return await _fetch(connection, text, values)
        except BaseException:
            if connection is not None:
                connection.terminate()
                connection = None
            raise
        finally:
            self._free.put_nowait(connection)


async def _fetch(
    connection: "asyncpg.Connection[asyncpg.Record]", text: str, values: Row
) -> Sequence[asyncpg.Record]:
    try:
        rows: Sequence[asyncpg.Record] = await connection.fetch(text, *values)
    except (asyncpg.DataError, ValueError):
        return ()
    return rows
