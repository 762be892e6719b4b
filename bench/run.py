"""The measurement: every system by turns, several rounds, since machines are not steady."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.figures import Figures, figures, medians
from bench.load import Line, Window, run_load
from bench.processes import Process, UnmeasuredError, on_cpus, share_out
from bench.system import CONNECTIONS, System


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often is measured, in seconds and rounds.

    `work` is a folder on the disk to measure with;
    `say` tells people how far it is.
    """

    work: Path
    warm_up: float
    seconds: float
    rounds: int
    say: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Row:
    """A system with a number of connections: the medians of its runs, and each run's figures."""

    system: System
    connections: int
    runs: tuple[Figures, ...]

    @property
    def figures(self) -> Figures:
        """The medians."""
        return medians(list(self.runs))

    @property
    def rates(self) -> tuple[float, ...]:
        """The rate of each round."""
        return tuple(run.rate for run in self.runs)


@dataclass(slots=True)
class Rows:
    """What was measured, and by name of the system why it was not."""

    rows: list[Row] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)

    def of(self, name: str, connections: int = CONNECTIONS[-1]) -> Row | None:
        """Return the row of a system, None where it was not measured."""
        found = (
            each
            for each in self.rows
            if (each.system.name, each.connections) == (name, connections)
        )
        return next(found, None)


def measure(systems: Sequence[System], plan: Plan) -> Rows:
    """Return a row for each system and number of connections.

    A system that fails once is not tried again, and has no row.
    """
    runs: dict[tuple[str, int], list[Figures]] = {}
    found = Rows()
    for number in range(plan.rounds):
        for connections in CONNECTIONS:
            for system in systems:
                if system.name in found.reasons or connections not in system.connections:
                    continue
                plan.say(
                    f"round {number + 1} of {plan.rounds}: {system.label}, {connections} at a time"
                )
                try:
                    run = figures(_run(system, connections, plan))
                except UnmeasuredError as reason:
                    plan.say(f"{system.label}: {reason}")
                    found.reasons[system.name] = str(reason)
                else:
                    runs.setdefault((system.name, connections), []).append(run)
    found.rows = [
        Row(system, connections, tuple(runs[system.name, connections]))
        for connections in CONNECTIONS
        for system in systems
        if system.name not in found.reasons and connections in system.connections
    ]
    return found


def _run(system: System, connections: int, plan: Plan) -> Window:
    """Start the system with an empty register, load it, and see that it kept what it said."""
    with tempfile.TemporaryDirectory(dir=plan.work) as name:
        folder = Path(name)
        with system.start(folder, connections) as started:
            window = load(
                started.lines,
                started.port,
                started.process,
                warm_up=plan.warm_up,
                seconds=plan.seconds,
                workers=system.workers,
            )
        stored = system.count_stored(folder)
    if stored is not None and stored < window.succeeded:
        raise UnmeasuredError(f"it answered 201 {window.succeeded} times and kept {stored}")
    return window


def load(
    lines: list[Line],
    port: int,
    process: Process,
    *,
    warm_up: float,
    seconds: float,
    workers: int = 1,
) -> Window:
    """Load a running server from the CPUs that are not its workers'."""
    with on_cpus(share_out(workers).rest):
        coroutine = run_load(lines, port, warm_up=warm_up, seconds=seconds, process=process)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(coroutine)
