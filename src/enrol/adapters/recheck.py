"""The re-check of stored clients in its surroundings: in a server, and beside one."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import islice
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from enrol.adapters import rows, statements
from enrol.adapters.database import connect_to_read, translated
from enrol.oauth.types import ClientId
from enrol.registration.ports import ClientStates, StateChange
from enrol.registration.record import ClientRecord
from enrol.registration.standing import Pace, Recheck, RecheckReport, carry_out

SetStates = Callable[[Sequence[StateChange]], Awaitable[None]]
"""Makes some changes of state durable."""

_AT_ONCE: Final = 50
_SHARE: Final = 0.1

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(StateChange).decode


class RegisterPages:
    """`ClientPages` of a register, read beside its server or without one."""

    def __init__(self, path: Path) -> None:
        """Open the register; raises `ConfigurationError` as `connect_to_read` does."""
        self._path = path
        self._connection = connect_to_read(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def count(self) -> int:
        """Return how many clients there are."""
        with translated(self._path):
            return int(self._connection.execute(statements.COUNT_ALL_CLIENTS).fetchone()[0])

    async def page(self, after: ClientId, limit: int) -> tuple[ClientRecord, ...]:
        """Return the next living clients after one, by client_id; none is the end."""
        with translated(self._path):
            found = self._connection.execute(statements.FIND_PAGE, (after, limit)).fetchall()
        return rows.living_clients(found)


async def recheck_register(
    path: Path,
    recheck: Recheck,
    *,
    writer: Callable[[], AbstractAsyncContextManager[SetStates]] | None,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> RecheckReport:
    """Judge the clients of the register at `path`, and change the states that have to be changed.

    `writer` gives out what changes them, once there is something to change; without it nothing is
    changed. Raises `ConfigurationError` as `RegisterPages` does, and what `writer` does.
    """
    draft = path.with_name(f".{path.name}.recheck.{os.getpid()}")
    try:
        with RegisterPages(path) as clients, _new_file(draft) as file:
            total, done = clients.count(), 0
            async for change in recheck.changes(clients):
                done += 1
                progress(done, total)
                if change is not None:
                    file.write(_encode(change) + b"\n")
        if writer is not None and draft.stat().st_size:
            async with writer() as set_states:
                for changes in _read(draft):
                    await set_states(changes)
    finally:
        draft.unlink(missing_ok=True)
    return recheck.report


async def recheck_at_leisure(states: ClientStates, recheck: Recheck) -> RecheckReport:
    """Judge the clients of a server that goes on serving, and change states as they are found.

    `recheck` has the pace of `leisurely`. Raises `UnavailableError` where the register fails.
    """
    waiting: list[StateChange] = []
    async for change in recheck.changes(states):
        if change is not None:
            waiting.append(change)
        if len(waiting) == _AT_ONCE:
            await carry_out(states, waiting)
            waiting.clear()
    await carry_out(states, waiting)
    return recheck.report


def leisurely() -> Pace:
    """Return a pace that leaves nine tenths of the time to the requests."""
    began = time.monotonic()

    async def pause() -> None:
        nonlocal began
        await asyncio.sleep((time.monotonic() - began) * (1 / _SHARE - 1))
        began = time.monotonic()

    return Pace(at_once=4, pause=pause)


def _read(file: Path) -> Iterator[list[StateChange]]:
    with file.open("rb") as lines:
        changes = map(_decode, lines)
        while some := list(islice(changes, _AT_ONCE)):
            yield some


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
