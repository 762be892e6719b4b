"""Registers opened by a test."""

import asyncio

from enrol.adapters.location import Location
from enrol.adapters.opening import open_register
from enrol.adapters.store import RegisterStore, StoreSettings


async def open_here(register: Location, settings: StoreSettings | None = None) -> RegisterStore:
    """Open a register from a test that has a loop."""
    return await asyncio.to_thread(open_register, register, settings or StoreSettings())
