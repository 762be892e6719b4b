"""Servers and workers that are stopped, killed and held under load (F-29, F-30)."""

import os
import signal
import time
from collections.abc import Callable

from faults.fault import POSTGRESQL, Fault
from faults.ground import Ground, seconds_to_start, wait_until
from faults.judging import no_500, register_findings
from faults.load import NO_ANSWER, Load
from faults.postgres import sharing
from faults.result import Finding, at_least, at_most, none_of
from live.desk import Desk
from live.served import Served

STOPS = 10
KILLS = 4
DRAINED = 20.0
REPLACED = 2.0
HELD_REPLACED = 30.0
STARTED = 5.0


def stopped_under_load(ground: Ground) -> tuple[Finding, ...]:
    """Stop a server by SIGTERM under load and start it again, some times."""
    with ground.running() as bank:
        load = ground.load(bank)
        return _stops(bank, load, ground.rounds or STOPS)


def _stops(bank: Desk, load: Load, stops: int) -> tuple[Finding, ...]:
    unanswered, codes, seconds = [], [], []
    with load.at_work():
        for _ in range(stops):
            time.sleep(0.5)
            began = time.monotonic()
            code = bank.stop()
            seconds.append(time.monotonic() - began)
            codes += [f"exit code {code}"] if code else []
            bank.start()
            unanswered += [
                f"begun {began - a.began:.3f} s before"
                for a in load.answers
                if a.status == NO_ANSWER and a.began < began < a.ended
            ]
    return (
        at_least("stops", stops, len(seconds)),
        none_of("requests begun before a stop and left without an answer", unanswered),
        none_of("ends with an error", codes),
        at_most("slowest end", DRAINED, max(seconds), "s"),
        *register_findings(bank, load),
        no_500(load),
    )


def worker_killed_on_sqlite(ground: Ground) -> tuple[Finding, ...]:
    """Kill the one worker of a server on SQLite; each of them once, as a supervisor waits longer
    for one that ends again and again.
    """
    with Served.of(ground.bank()) as bank:
        load, seconds = ground.load(bank), []
        times = ground.rounds or KILLS
        with load.at_work():
            for number in range(times):
                if number:
                    bank.stop()
                    bank.start()
                time.sleep(1)
                seconds.append(kill_one(bank))
                time.sleep(0.5)
        return _findings(bank, load, seconds, REPLACED)


def workers_on_postgres(ground: Ground, disturb: Callable[[Served], float]) -> tuple[Finding, ...]:
    """Disturb a server of two workers on PostgreSQL."""
    with sharing(ground, 1) as (_, (node,)):
        node.stop()
        with Served.of(node, "--workers", "2") as served:
            load = ground.load(served)
            return _disturbed(served, node, load, disturb)


def kill_one(bank: Served) -> float:
    """Kill a worker and return how long it took until another was ready."""
    return _replaced(bank, signal.SIGKILL, REPLACED * 5)


def hold_one(bank: Served) -> float:
    """Hold a worker, which answers no more but lives, until it is replaced."""
    return _replaced(bank, signal.SIGSTOP, HELD_REPLACED * 2)


def _replaced(bank: Served, number: signal.Signals, within: float) -> float:
    ready = bank.logged("worker_ready")
    os.kill(bank.workers[0], number)
    seconds = wait_until(lambda: bank.logged("worker_ready") > ready, within)
    return float("inf") if seconds is None else seconds


def kill_supervisor(bank: Served) -> float:
    """Kill the supervisor, wait until its workers have gone, and start anew."""
    workers = bank.workers
    bank.kill()
    gone = wait_until(lambda: not any(_lives(pid) for pid in workers), HELD_REPLACED)
    return (float("inf") if gone is None else gone) + seconds_to_start(bank)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - no file
            return ") Z " not in file.read()
    except OSError:
        return False


def _disturbed(
    bank: Served, register: Desk, load: Load, disturb: Callable[[Served], float]
) -> tuple[Finding, ...]:
    times = {hold_one: 1, kill_one: 2, kill_supervisor: KILLS}[disturb]
    limit = {hold_one: HELD_REPLACED, kill_one: REPLACED, kill_supervisor: STARTED}[disturb]
    seconds = []
    with load.at_work():
        for _ in range(times):
            time.sleep(1)
            seconds.append(disturb(bank))
        time.sleep(1)
    return _findings(register, load, seconds, limit)


def _findings(
    register: Desk, load: Load, seconds: list[float], limit: float
) -> tuple[Finding, ...]:
    return (
        at_least("times it was done", 1, len(seconds)),
        at_most("slowest until all were ready again", limit, max(seconds), "s"),
        *register_findings(register, load),
        no_500(load),
    )


def _of_workers(done: str, disturb: Callable[[Served], float]) -> Fault:
    return Fault("F-30", done, lambda ground: workers_on_postgres(ground, disturb), POSTGRESQL)


FAULTS = (
    Fault("F-29", "SIGTERM under load, and a start, again and again", stopped_under_load),
    Fault(
        "F-30",
        "kill -9 of the worker of a supervised server under load, several times",
        worker_killed_on_sqlite,
    ),
    _of_workers("kill -9 of one of two workers, then of the other, under load", kill_one),
    _of_workers("one of two workers is held and answers no more", hold_one),
    _of_workers(
        "kill -9 of the supervisor of two workers, and a start, under load", kill_supervisor
    ),
)
