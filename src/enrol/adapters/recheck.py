"""The re-check of stored clients in its surroundings: in a server, and beside one."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Final

import msgspec

from enrol.adapters import rows, statements
from enrol.adapters.location import Location
from enrol.adapters.view import RegisterView, open_view
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
    """`ClientPages` of a register, read beside its servers or without one."""

    def __init__(self, view: RegisterView) -> None:
        self._view = view

    async def count(self) -> int:
        """Return how many clients there are."""
        ((count,),) = await asyncio.to_thread(self._view.rows, statements.COUNT_ALL_CLIENTS)
        return int(count)

    async def page(self, after: ClientId, limit: int) -> tuple[ClientRecord, ...]:
        """Return the next living clients after one, by client_id; none is the end."""
        found = await asyncio.to_thread(self._view.rows, statements.FIND_PAGE, after, limit)
        return rows.living_clients(found)


async def recheck_register(
    location: Location,
    recheck: Recheck,
    *,
    folder: Path,
    writer: Callable[[], AbstractAsyncContextManager[SetStates]] | None,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> RecheckReport:
    """Judge the clients of a register, and change the states that have to be changed.

    Changes are kept in a file of `folder` until all are known. `writer` gives out what makes them,
    once there is one; without it nothing is changed. Raises `ConfigurationError` as `open_view`
    does, and what `writer` does.
    """
    draft = folder / f".recheck.{os.getpid()}"
    try:
        async with _opened(location) as view:
            with _new_file(draft) as file:
                clients = RegisterPages(view)
                total, done = await clients.count(), 0
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


@asynccontextmanager
async def _opened(location: Location) -> AsyncIterator[RegisterView]:
    """Open a register on a thread, as one of the network may be waited for."""
    opened = open_view(location)
    view = await asyncio.to_thread(opened.__enter__)
    try:
        yield view
    finally:
        await asyncio.to_thread(opened.__exit__, None, None, None)


def _read(file: Path) -> Iterator[list[StateChange]]:
    with file.open("rb") as lines:
        changes = map(_decode, lines)
        while some := list(islice(changes, _AT_ONCE)):
            yield some


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
