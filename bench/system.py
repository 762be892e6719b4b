"""What is measured: a system that registers clients, started with an empty register every time."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.load import Line
from bench.processes import Process

CONNECTIONS = (1, 32)


@dataclass(frozen=True, slots=True)
class Running:
    """A system that listens on `port`, and one line of the load for each connection."""

    process: Process
    port: int
    lines: list[Line]


class System(Protocol):
    """A system under load; `label` is its name for people, `does` its work for one registration.

    With `workers` more than one it is measured with the largest of `connections` only.
    """

    name: str
    label: str
    does: str
    workers: int
    connections: tuple[int, ...]

    def start(self, folder: Path, connections: int) -> AbstractContextManager[Running]:
        """Run it with an empty register in the empty `folder`.

        Raises `UnmeasuredError` where it cannot be run here.
        """

    def count_stored(self, folder: Path) -> int | None:
        """Return how many registrations a run left on disk; None where it keeps none there."""
