"""The process that supervises: starts workers, replaces those that fail, and reads settings anew.

It does nothing else, so that nothing else ends it.
"""

import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from enrol.adapters.service_manager import ALIVE, READY, RELOADING, STOPPING, ServiceManager
from enrol.bootstrap.workers.child import cause_of, start_child
from enrol.bootstrap.workers.crew import Crew
from enrol.bootstrap.workers.line import Line, ask_to_retire, hear_of, new_line
from enrol.bootstrap.workers.waking import woken_by_signals
from enrol.bootstrap.workers.worker import Action, Order, Phase
from enrol.errors import ConfigurationError
from enrol.settings import Settings

_log = structlog.get_logger(__name__)

_REFUSED: Final = 2


@dataclass(frozen=True, slots=True)
class Trade:
    """What the processes of a server do.

    `serve` is the life of the worker of a number, and returns its exit code. `reread` returns the
    settings as they are now, `check` raises where these cannot be served instead of others; both
    raise `ConfigurationError`. `on_ready` is called once, when all workers serve.
    """

    serve: Callable[[Settings, int, Line], int]
    reread: Callable[[], Settings]
    check: Callable[[Settings], None]
    on_ready: Callable[[], None]


class Supervisor:
    """The workers of a server, from the first to the last."""

    def __init__(self, trade: Trade, settings: Settings, crew: Crew) -> None:
        self._trade = trade
        self._editions = {crew.edition: settings}
        self._crew = crew
        self._manager = ServiceManager()
        self._selector = selectors.DefaultSelector()
        self._lines: dict[int, socket.socket] = {}
        self._trial: int | None = None  # the process that tries new settings
        self._asked_again = False
        self._was_ready = self._reloads = False
        self._alive_at = 0.0

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT, and return the exit code of the server."""
        with woken_by_signals() as self._signalled, self._selector:
            self._selector.register(self._signalled[0], selectors.EVENT_READ, self._take_signals)
            self._advance()
            while (code := self._crew.finished) is None:
                for key, _ in self._selector.select(self._pause()):
                    key.data()
                self._reap()
                self._advance()
        return code

    # What happens

    def _take_signals(self) -> None:
        for number in self._signalled[0].recv(4096):
            match number:
                case signal.SIGTERM | signal.SIGINT:
                    self._end()
                case signal.SIGHUP:
                    self._try_settings()

    def _hear(self, pid: int) -> None:
        line = self._lines[pid]
        match hear_of(line):
            case b"READY=1":
                self._took_up(pid)
            case b"WATCHDOG=1":
                self._crew = self._crew.heard(pid, at=_now())
            case b"":  # it is about to end
                self._selector.unregister(line)
                line.close()

    def _took_up(self, pid: int) -> None:
        was_proven, worker = self._crew.proven, self._crew.worker(pid)
        self._crew = self._crew.ready(pid, at=_now())
        if was_proven and worker is not None:
            _log.info("worker_ready", worker=worker.number, pid=pid)

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                code, cause = cause_of(status)
                if pid == self._trial:
                    self._trial = None
                    self._tried(code)
                else:
                    self._ended(pid, code, cause)

    def _ended(self, pid: int, code: int, cause: str) -> None:
        worker, before = self._crew.worker(pid), self._crew
        line = self._lines.pop(pid, None)
        if line is not None and line.fileno() >= 0:
            self._selector.unregister(line)
            line.close()
        if worker is None:
            return
        self._crew = before.ended(pid, code, at=_now())
        if worker.phase is Phase.LEAVING:
            _log.info("worker_left", worker=worker.number, pid=pid, cause=cause)
        elif before.proven:
            _log.error("worker_ended", worker=worker.number, pid=pid, cause=cause)
        if self._crew.edition != before.edition:
            _log.error("reload_undone", meaning="the settings before are in force again")

    # What is done

    def _advance(self) -> None:
        orders: tuple[Order, ...] | None = None
        while orders != ():
            self._crew, orders = self._crew.advance(at=_now())
            for order in orders:
                self._carry_out(order)
        self._tell()

    def _carry_out(self, order: Order) -> None:
        match order.action:
            case Action.START:
                self._start(order)
            case Action.RETIRE:
                ask_to_retire(self._lines[order.pid])
            case Action.STOP:
                os.kill(order.pid, signal.SIGTERM)
            case Action.KILL:
                self._kill(order)

    def _kill(self, order: Order) -> None:
        worker = self._crew.worker(order.pid)
        phase = None if worker is None else worker.phase.name.lower()
        _log.error("worker_killed", worker=order.number, pid=order.pid, phase=phase)
        os.kill(order.pid, signal.SIGKILL)

    def _start(self, order: Order) -> None:
        settings = self._editions[self._crew.edition]
        ours, theirs = new_line()

        def serve() -> int:
            self._leave_to_parent(ours)
            return self._trade.serve(settings, order.number, Line(theirs))

        try:
            pid = start_child(serve)
        except OSError as exc:
            ours.close()
            _log.error("worker_not_started", worker=order.number, cause=exc.strerror)
            self._crew = self._crew.failed(order.number, at=_now())
            return
        finally:
            theirs.close()
        self._crew = self._crew.started(order, pid, at=_now())
        self._lines[pid] = ours
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._hear(pid))

    def _leave_to_parent(self, *lines: socket.socket) -> None:
        """In a child: close what is the supervisor's, so that its end is noticed."""
        self._selector.close()
        for each in (*lines, *self._lines.values(), *self._signalled):
            each.close()

    def _end(self) -> None:
        self._manager.tell(STOPPING)
        if self._trial is not None:
            os.kill(self._trial, signal.SIGKILL)
        self._crew, orders = self._crew.end(at=_now())
        for order in orders:
            self._carry_out(order)

    # New settings

    def _try_settings(self) -> None:
        """Have a child read the settings and check them, while the workers go on."""
        if self._crew.ending:
            return
        self._asked_again = self._trial is not None
        if self._asked_again:
            return

        def try_them() -> int:
            self._leave_to_parent()
            try:
                self._trade.check(self._trade.reread())
            except ConfigurationError as exc:
                _refuse(exc)
                return _REFUSED
            return 0

        self._manager.tell(f"{RELOADING}\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        self._reloads = True
        self._trial = start_child(try_them)

    def _tried(self, code: int) -> None:
        """Have new workers serve the settings that were found good."""
        if self._asked_again:
            self._try_settings()
            return
        if code != 0 or self._crew.ending:
            return
        try:
            settings = self._trade.reread()
        except ConfigurationError as exc:  # changed since
            _refuse(exc)
            return
        edition = max(self._editions) + 1
        self._editions[edition] = settings
        self._crew = self._crew.reload(edition)
        _log.info("reload_begun")

    # What is told

    def _tell(self) -> None:
        """Tell the service manager how things are."""
        if _now() - self._alive_at >= self._alive_every:
            self._alive_at = _now()
            self._manager.tell(ALIVE)
        if not self._crew.is_settled or self._crew.ending or self._trial is not None:
            return
        if not self._was_ready:
            self._was_ready = True
            self._trade.on_ready()
            self._manager.tell(READY)
        elif self._reloads:
            self._reloads = False
            self._manager.tell(READY)
            if len(self._editions) > 1 and self._crew.edition == max(self._editions):
                _log.info("reloaded")
        self._editions = {self._crew.edition: self._editions[self._crew.edition]}

    @property
    def _alive_every(self) -> float:
        return (self._manager.every or float("inf")) / 2

    def _pause(self) -> float | None:
        """Return how long nothing is to be done."""
        wakes_at = min(self._crew.wakes_at(), self._alive_at + self._alive_every)
        return None if wakes_at == float("inf") else max(0.0, wakes_at - _now())


def _now() -> float:
    return time.monotonic()


def _refuse(exc: ConfigurationError) -> None:
    _log.error("reload_refused", code=exc.code, cause=exc.detail)
