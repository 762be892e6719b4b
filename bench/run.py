"""The measurement: every system by turns, several rounds, since machines are not steady."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.figures import Figures, figures, medians
from bench.load import Window, run_load
from bench.processes import GENERATOR_CPU, on_cpu
from bench.system import System

CONNECTIONS = (1, 32)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often is measured; `work` is a folder on the disk to measure with."""

    work: Path
    warm_up: float
    seconds: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Row:
    """A system with a number of connections: the medians of its runs, and each run's rate."""

    system: System
    connections: int
    figures: Figures
    rates: tuple[float, ...]


def measure(systems: Sequence[System], plan: Plan, say: Callable[[str], None]) -> list[Row]:
    """Return a row for each system and number of connections."""
    runs: dict[tuple[str, int], list[Figures]] = {}
    for number in range(plan.rounds):
        for connections in CONNECTIONS:
            for system in systems:
                say(f"round {number + 1} of {plan.rounds}: {system.label}, {connections}")
                run = figures(_run(system, connections, plan))
                runs.setdefault((system.name, connections), []).append(run)
    return [
        Row(system, connections, medians(done), tuple(run.rate for run in done))
        for connections in CONNECTIONS
        for system in systems
        for done in (runs[system.name, connections],)
    ]


def _run(system: System, connections: int, plan: Plan) -> Window:
    """Start the system with an empty register, load it, and see that it kept what it said."""
    with tempfile.TemporaryDirectory(dir=plan.work) as name:
        folder = Path(name)
        with system.start(folder, connections) as running, on_cpu(GENERATOR_CPU):
            load = run_load(
                running.lines,
                running.port,
                warm_up=plan.warm_up,
                seconds=plan.seconds,
                process=running.process,
            )
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                window = runner.run(load)
        stored = system.count_stored(folder)
    if stored is not None and stored < window.created:
        raise SystemExit(f"{system.label} answered 201 {window.created} times and kept {stored}")
    return window
