"""Registers clients until killed, and writes the number of each one that was acknowledged."""

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from adapters.values import creation, record, removal, replacement
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import RegisterStore


async def register(store: RegisterStore, numbers) -> None:
    for number in numbers:
        await store.clients.commit(creation(number))
        if number % 3 == 1:
            await store.clients.commit(replacement(record(number), request_number=-number))
        if number % 3 == 2:
            await store.clients.commit(removal(record(number), request_number=-number))
        os.write(1, b"%d\n" % number)


async def main(path: Path, first: int) -> None:
    store = open_sqlite(path)
    numbers = count(first)
    await asyncio.gather(*(register(store, numbers) for _ in range(16)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
