"""Registers opened by a test."""

import asyncio
from collections.abc import Awaitable, Callable

from adapters.trails import review
from cluster import Database
from enrol.adapters.location import Location, PostgresUrl
from enrol.adapters.opening import open_register
from enrol.adapters.store import RegisterStore, StoreSettings
from enrol.registration.review import Review


async def open_here(register: Location, settings: StoreSettings | None = None) -> RegisterStore:
    """Open a register from a test that has a loop."""
    return await asyncio.to_thread(open_register, register, settings or StoreSettings())


async def reviewed(database: Database) -> Review:
    return await asyncio.to_thread(review, PostgresUrl(database.server_url))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition that another server brings about."""
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(0.02)


async def waits_for_a_lock(database: Database, number: int) -> bool:
    count = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return await asyncio.to_thread(database.rows, count) == [(number,)]
