"""The re-check of stored clients in its surroundings: beside a server, in it, and between both.

A register has one writer. Where that is a running server, whoever found changes of state hands
them over in a file beside the register.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Final, Self

import msgspec
import structlog

from enrol.adapters import rows, statements
from enrol.adapters.database import connect_to_read, translated
from enrol.adapters.files import sync
from enrol.adapters.store import SqliteStore
from enrol.errors import ConfigurationError, UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.ports import ClientStates, StateChange
from enrol.registration.record import ClientRecord
from enrol.registration.standing import Pace, Recheck, RecheckReport, carry_out

_log = structlog.get_logger(__name__)

CHECK_EVERY: Final = 1.0
"""Seconds between two looks for a file that was handed over."""

_AT_ONCE: Final = 200
_SHARE: Final = 0.1
_PATIENCE: Final = 30.0

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
    apply: bool = True,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> RecheckReport:
    """Judge the clients of the register at `path`, and change the states that have to be changed.

    By itself where no server uses the register, else through the server. Raises
    `ConfigurationError`, ``recheck_not_taken`` where the server takes nothing for half a minute,
    and `UnavailableError` where the changes cannot be written.
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
        if apply and draft.stat().st_size:
            await _apply(path, draft)
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


async def take_what_is_handed_over(path: Path, states: ClientStates) -> None:
    """Carry out for ever what comes as a file beside the register at `path`; to be cancelled."""
    spool = _spool(path)
    while True:
        await asyncio.sleep(CHECK_EVERY)
        if not spool.exists():
            continue
        try:
            await _carry_out_file(spool, states)
        except UnavailableError as exc:
            _log.warning("recheck_waits", code=exc.code)  # it is tried again in a second
            continue
        except (msgspec.DecodeError, OSError) as exc:
            _log.error("recheck_unreadable", file=str(spool), cause=str(exc))
        with suppress(OSError):
            spool.unlink()


async def _apply(path: Path, draft: Path) -> None:
    try:
        store = SqliteStore.open(path)
    except ConfigurationError as exc:
        if exc.code != "database_in_use":
            raise
        await _hand_over(path, draft)
        return
    try:
        await _carry_out_file(draft, store.clients)
    finally:
        await store.aclose()


async def _hand_over(path: Path, draft: Path) -> None:
    """Leave the file to the server, and wait until it has taken it."""
    spool = _spool(path)
    sync(draft)
    os.replace(draft, spool)  # noqa: PTH105 - at once
    end = time.monotonic() + _PATIENCE
    while spool.exists():
        if time.monotonic() > end:
            spool.unlink(missing_ok=True)
            raise ConfigurationError(
                "recheck_not_taken",
                f"{spool} is not taken: is what uses {path} a server of this version?",
            )
        await asyncio.sleep(CHECK_EVERY / 10)


async def _carry_out_file(file: Path, states: ClientStates) -> None:
    with file.open("rb") as lines:
        changes = map(_decode, lines)
        while some := list(islice(changes, _AT_ONCE)):
            await carry_out(states, some)


def _spool(path: Path) -> Path:
    return path.with_name(f"{path.name}.recheck")


def _new_file(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
