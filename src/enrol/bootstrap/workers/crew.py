"""Which workers there are and what has to happen next: pure, the time is an argument.

Times are seconds of a clock that never goes back. Settings are read in editions; a crew wants the
workers of one edition, and knows the last that has proved itself.
"""

import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from enrol.bootstrap.workers.worker import (
    Action,
    Failures,
    Order,
    Patience,
    Phase,
    Worker,
    pause_after,
)

_HEALTHY_AFTER: Final = 60.0
_KILLED_WITHIN: Final = 5.0
_FORCED_WITHIN: Final = 1.8


@dataclass(frozen=True, slots=True)
class Crew:
    """All workers of a server, of which `size` are wanted.

    Where two processes may not have the register at a time, `overlaps` is false: a worker has to
    go before the next one comes. `finished` is the exit code once all is over.
    """

    size: int
    overlaps: bool
    patience: Patience
    edition: int = 1
    proven: int = 0
    workers: tuple[Worker, ...] = ()
    failures: dict[int, Failures] = field(default_factory=dict)
    ending: bool = False
    code: int = 0

    # What is known

    @property
    def finished(self) -> int | None:
        """The exit code of the server, None while there is one."""
        return self.code if self.ending and not self.workers else None

    @property
    def is_settled(self) -> bool:
        """Whether every number is served by the edition that is wanted, and by nothing else."""
        return all(w.phase is Phase.SERVING for w in self.workers) and self._is_served

    @property
    def _is_served(self) -> bool:
        serving = {w.number for w in self._wanted if w.phase is Phase.SERVING}
        return len(serving) == self.size

    @property
    def _wanted(self) -> tuple[Worker, ...]:
        return tuple(w for w in self.workers if w.edition == self.edition)

    def worker(self, pid: int) -> Worker | None:
        """Return the worker with this process id, if it is one."""
        return next((w for w in self.workers if w.pid == pid), None)

    def wakes_at(self) -> float:
        """Return when something has to happen though nothing did."""
        due = [w.due for w in self.workers]
        return min(due + [each.again for each in self.failures.values()], default=float("inf"))

    # What happens

    def started(self, order: Order, pid: int, *, at: float) -> "Crew":
        """Return the crew with a worker that was started."""
        due = at + self.patience.start
        worker = Worker(pid, order.number, self.edition, Phase.STARTING, at, due)
        return replace(self, workers=(*self.workers, worker))

    def ready(self, pid: int, *, at: float) -> "Crew":
        """Return the crew with a worker that serves now."""
        crew = self._with(pid, Phase.STARTING, Phase.SERVING, at, self.patience.silence)
        return replace(crew, proven=crew.edition) if crew._is_served else crew

    def heard(self, pid: int, *, at: float) -> "Crew":
        """Return the crew with a worker that lives; who lives long enough is forgiven."""
        worker = self.worker(pid)
        if worker is None or worker.phase is not Phase.SERVING:
            return self
        crew = self._replaced(replace(worker, due=at + self.patience.silence))
        if at - worker.since < _HEALTHY_AFTER or worker.number not in self.failures:
            return crew
        left = {n: each for n, each in self.failures.items() if n != worker.number}
        return replace(crew, failures=left)

    def ended(self, pid: int, code: int, *, at: float) -> "Crew":
        """Return the crew without a worker that ended; `code` is negative for a signal."""
        worker = self.worker(pid)
        if worker is None:
            return self
        left = replace(self, workers=tuple(w for w in self.workers if w.pid != pid))
        if self.ending:
            return replace(left, code=max(self.code, _exit_code(code)))
        if worker.phase is Phase.LEAVING:
            return left
        if worker.phase is Phase.STARTING:
            if not self.proven:
                return replace(left, ending=True, code=_exit_code(code) or 1)
            if worker.edition == self.edition != self.proven:
                return replace(left, edition=self.proven)
        return left.failed(worker.number, at=at)

    def failed(self, number: int, *, at: float) -> "Crew":
        """Return the crew that tries a number again, the later the more often it failed."""
        before = self.failures.get(number)
        count = 1 if before is None else before.count + 1
        failures = Failures(count, at + pause_after(count))
        return replace(self, failures={**self.failures, number: failures})

    def reload(self, edition: int) -> "Crew":
        """Return the crew that wants workers of another edition, with patience for it."""
        return replace(self, edition=edition, failures={})

    def end(self, *, at: float) -> tuple["Crew", tuple[Order, ...]]:
        """Return the crew that ends; who is asked again lets nobody finish."""
        if not self.ending:
            return replace(self, ending=True), ()
        due = at + _FORCED_WITHIN
        hurried = tuple(replace(w, phase=Phase.LEAVING, due=due) for w in self.workers)
        orders = tuple(Order(Action.STOP, w.number, w.pid) for w in self.workers)
        return replace(self, workers=hurried), orders

    def advance(self, *, at: float) -> tuple["Crew", tuple[Order, ...]]:
        """Return what has to happen now, and the crew as it is when that was done.

        Starts are told to it by `started`.
        """
        crew, orders = self, []
        for order in (*self._overdue(at), *self._next_steps(at)):
            orders.append(order)
            crew = crew._obeying(order, at)
        return crew, tuple(orders)

    # Steps

    def _overdue(self, at: float) -> Iterator[Order]:
        for worker in self.workers:
            if at >= worker.due:
                yield Order(Action.KILL, worker.number, worker.pid)

    def _next_steps(self, at: float) -> Iterator[Order]:
        if self.ending:
            for worker in self.workers:
                if worker.phase is not Phase.LEAVING and at < worker.due:
                    yield Order(Action.STOP, worker.number, worker.pid)
            return
        changing = False
        for number in range(1, self.size + 1):
            step = self._next_step(number, changing=changing, at=at)
            if step is not None:
                yield step
                changing = changing or any(w.edition != self.edition for w in self.workers)

    def _next_step(self, number: int, *, changing: bool, at: float) -> Order | None:
        """Return what to do about one number; `changing` says that another is at it already."""
        here = [w for w in self.workers if w.number == number]
        wanted = [w for w in here if w.edition == self.edition and w.phase is not Phase.LEAVING]
        others = [w for w in here if w.edition != self.edition and w.phase is not Phase.LEAVING]
        if wanted:
            serves = wanted[0].phase is Phase.SERVING
            return _farewell(others[0]) if others and serves else None
        if others and (changing or self._is_changing):
            return None
        if others and not self.overlaps:
            return _farewell(others[0])
        if (here and not self.overlaps) or (number > 1 and not self._has_begun):
            return None
        failures = self.failures.get(number)
        if failures is not None and at < failures.again:
            return None
        return Order(Action.START, number)

    @property
    def _has_begun(self) -> bool:
        """Whether one came to serve, so that what is wrong at the start is told once."""
        return bool(self.proven) or any(w.phase is not Phase.STARTING for w in self.workers)

    @property
    def _is_changing(self) -> bool:
        """Whether one is being replaced already, while others still have to be."""
        return any(w.phase is not Phase.SERVING for w in self.workers)

    def _obeying(self, order: Order, at: float) -> "Crew":
        worker = self.worker(order.pid)
        if worker is None:
            return self._trying(order.number)
        match order.action:
            case Action.KILL:
                return self._replaced(replace(worker, due=at + _KILLED_WITHIN))
            case Action.RETIRE:
                due = at + self.patience.retire
            case _:
                due = at + self.patience.stop
        return self._replaced(replace(worker, phase=Phase.LEAVING, since=at, due=due))

    def _trying(self, number: int) -> "Crew":
        """Return the crew that starts this number, so that nothing is due about it."""
        failures = self.failures.get(number)
        if failures is None:
            return self
        tried = replace(failures, again=float("inf"))
        return replace(self, failures={**self.failures, number: tried})

    def _with(self, pid: int, before: Phase, phase: Phase, at: float, patience: float) -> "Crew":
        worker = self.worker(pid)
        if worker is None or worker.phase is not before:
            return self
        return self._replaced(replace(worker, phase=phase, since=at, due=at + patience))

    def _replaced(self, worker: Worker) -> "Crew":
        workers = tuple(worker if w.pid == worker.pid else w for w in self.workers)
        return replace(self, workers=workers)


def _farewell(worker: Worker) -> Order:
    return Order(Action.RETIRE, worker.number, worker.pid)


def _exit_code(code: int) -> int:
    """Return the exit code that stands for how a process ended; it may go before it is ready."""
    if code == -signal.SIGTERM:
        return 0
    return code if code >= 0 else 1
