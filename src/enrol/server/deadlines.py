"""Deadlines that are the same for many tasks, kept with one timer."""

import asyncio
from types import TracebackType
from typing import Self


class Deadlines:
    """Ends what takes longer than `seconds`; of one event loop.

    All have the same time, so that whoever began first is due first: a timer runs for that one
    alone, and when it has ended meanwhile, for whichever is first then.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Deadline, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, deadline: "Deadline") -> None:
        """Let the time of a block begin."""
        loop = asyncio.get_running_loop()
        self._running[deadline] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._expire, loop)

    def drop(self, deadline: "Deadline") -> None:
        """Forget a block that has ended."""
        del self._running[deadline]

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut off whatever is due, and wait for what is due next."""
        self._timer = None
        while self._running:
            deadline, due = next(iter(self._running.items()))
            if due > loop.time():
                self._timer = loop.call_at(due, self._expire, loop)
                return
            self.drop(deadline)
            deadline.cut_off()


class Deadline:
    """The block of one task; used once, in ``with``, as `asyncio.timeout` is."""

    __slots__ = ("_before", "_deadlines", "_is_cut_off", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._is_cut_off = False

    def __enter__(self) -> Self:
        """Begin; raises RuntimeError outside of a task."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only a task has a deadline")
        self._task, self._before = task, task.cancelling()
        self._deadlines.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """End; where this deadline cancelled the task, and nobody else, raise `TimeoutError`."""
        if not self._is_cut_off:
            self._deadlines.drop(self)
        elif self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cut_off(self) -> None:
        """Cancel the task."""
        self._is_cut_off = True
        self._task.cancel()
