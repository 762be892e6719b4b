"""Group commit: everything one turn of the event loop wants written shares one transaction.

One batch is in flight at a time. The first write schedules a flush behind what the loop has still
to do in this turn, so that its other requests join; what arrives during a commit waits for the
next batch. No timer, and no delay where there is one request only.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final, Generic, TypeVar

from enrol.errors import UnavailableError
from enrol.registration.meters import CommitMeter

W = TypeVar("W")
R = TypeVar("R")

LARGEST_BATCH: Final = 256
MOST_WAITING: Final = 4096
MOST_NOTES: Final = 1024


class GroupCommit(Generic[W, R]):
    """Brings writes of one event loop to one writer thread, in batches.

    `write` runs on the thread; it takes a batch, makes it durable, and returns or raises for each
    write what is to be returned or raised. `settled` runs on the loop, before any waiter does.
    `meter` counts batches.
    """

    def __init__(
        self,
        write: Callable[[Sequence[W]], Sequence[R | Exception]],
        *,
        settled: Callable[[Sequence[W], Sequence[R | Exception]], None],
        most_waiting: int = MOST_WAITING,
        most_notes: int = MOST_NOTES,
        meter: CommitMeter | None = None,
    ) -> None:
        self._write = write
        self._settled = settled
        self._most_waiting = most_waiting
        self._most_notes = most_notes
        self._meter = meter or CommitMeter()
        self._waiting: deque[tuple[W, asyncio.Future[R] | None]] = deque()
        self._notes: deque[W] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="enrol-writer")
        self._busy_since: float | None = None
        self._closed = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.dropped_notes = 0

    @property
    def busy_for(self) -> float:
        """Seconds since the writer last had nothing to do or finished a batch; 0 when idle."""
        return 0.0 if self._busy_since is None else time.monotonic() - self._busy_since

    @property
    def waiting(self) -> int:
        """How many writes wait for a batch, notes included."""
        return len(self._waiting) + len(self._notes)

    def submit(self, write: W) -> asyncio.Future[R]:
        """Queue a write; the future is done when it is durable or refused.

        Raises `UnavailableError` ``overloaded`` when too many wait, ``draining`` after `aclose`.
        """
        if self._closed:
            raise UnavailableError("draining")
        if len(self._waiting) >= self._most_waiting:
            raise UnavailableError("overloaded", retry_after=1)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((write, future))
        self._wake(loop)
        return future

    def note(self, write: W) -> None:
        """Queue a write that nobody waits for; dropped and counted when too many wait."""
        if self._closed or len(self._notes) >= self._most_notes:
            self.dropped_notes += 1
            return
        self._notes.append(write)
        self._wake(asyncio.get_running_loop())

    async def aclose(self) -> None:
        """Take no more writes, finish those that wait, end the thread."""
        self._closed = True
        await self._idle.wait()
        self._thread.shutdown()

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._busy_since is None:
            self._busy_since = time.monotonic()
            self._idle.clear()
            loop.call_soon(self._flush, loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Hand the next batch to the thread; writes whose waiter has gone are left out."""
        batch: list[tuple[W, asyncio.Future[R] | None]] = []
        while self._waiting and len(batch) < LARGEST_BATCH:
            write, future = self._waiting.popleft()
            if future is None or not future.cancelled():
                batch.append((write, future))
        notes = [self._notes.popleft() for _ in islice(range(len(self._notes)), LARGEST_BATCH)]
        batch += [(write, None) for write in notes]
        self._busy_since = time.monotonic()
        self._thread.submit(self._run, loop, batch)

    def _run(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[tuple[W, asyncio.Future[R] | None]],
    ) -> None:
        """Write a batch, on the thread."""
        outcomes: Sequence[R | Exception]
        began = time.monotonic()
        try:
            outcomes = self._write([write for write, _ in batch])
        except Exception as exc:  # without an outcome every request would hang
            outcomes = [exc] * len(batch)
        seconds = time.monotonic() - began
        loop.call_soon_threadsafe(self._done, loop, batch, outcomes, seconds)

    def _done(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[tuple[W, asyncio.Future[R] | None]],
        outcomes: Sequence[R | Exception],
        seconds: float,
    ) -> None:
        """Tell those who wait, back on the loop."""
        self._meter.batches.observe(len(batch))
        self._meter.seconds.observe(seconds)
        self._settled([write for write, _ in batch], outcomes)
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future is None:
                self.dropped_notes += isinstance(outcome, Exception)
            elif not future.done():
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
        if self._waiting or self._notes:
            loop.call_soon(self._flush, loop)
            return
        self._busy_since = None
        self._idle.set()
