"""Which of several servers does what only one has to do."""

import asyncio
from typing import Final

import asyncpg

from enrol.adapters.location import PostgresUrl
from enrol.adapters.outbox import OutboxNews
from enrol.adapters.postgres.connection import LOST, connect

DUTY_LOCK: Final = 0x456E726F6D
"""The advisory lock of the server on duty, held as long as its connection lasts."""

OUTBOX_CHANNEL: Final = "enrol_outbox"
"""Where a change of the outbox is told, whichever server made it."""


class PostgresDuty:
    """A server's place in the queue for the duty; `news` is spread when the outbox changes."""

    def __init__(self, location: PostgresUrl, news: OutboxNews) -> None:
        self._url = location.url
        self._news = news
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._has_it = False
        self._asking = asyncio.Lock()

    async def is_mine(self) -> bool:
        """Return whether this server is on duty; it is where no other one is."""
        async with self._asking:
            try:
                return await self._ask()
            except (*LOST, asyncpg.PostgresError):
                await self.aclose()
                return False

    async def aclose(self) -> None:
        """Give the duty up, for another one to have."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection, self._has_it = None, False

    async def _ask(self) -> bool:
        if self._connection is None or self._connection.is_closed():
            self._has_it = False
            self._connection = await connect(self._url, application="enrol duty")
            await self._connection.add_listener(OUTBOX_CHANNEL, lambda *_: self._news.spread())
        if self._has_it:
            await self._connection.execute("SELECT 1")  # else it may be another's by now
        else:
            statement = "SELECT pg_try_advisory_lock($1)"
            self._has_it = bool(await self._connection.fetchval(statement, DUTY_LOCK))
        return self._has_it
