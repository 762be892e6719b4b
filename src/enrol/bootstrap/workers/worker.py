"""A worker as its supervisor knows it, and what can be done to it. Times are seconds."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

_LONGEST_PAUSE: Final = 30.0


class Phase(Enum):
    """How far a worker is."""

    STARTING = auto()
    SERVING = auto()
    LEAVING = auto()


class Action(Enum):
    """What is done to a worker."""

    START = auto()
    RETIRE = auto()  # others take over: nobody is turned away
    STOP = auto()
    KILL = auto()


@dataclass(frozen=True, slots=True)
class Order:
    """Something to be done: a start has the number of the worker, all else its `pid`."""

    action: Action
    number: int
    pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a worker may take before it is killed, in seconds."""

    start: float = 600.0
    silence: float = 20.0
    retire: float = 50.0
    stop: float = 30.0


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that serves, `since` when it is in its phase, and `due` to be heard of again."""

    pid: int
    number: int
    edition: int
    phase: Phase
    since: float
    due: float


@dataclass(frozen=True, slots=True)
class Failures:
    """How often in a row the worker of a number failed, and when it is tried again."""

    count: int
    again: float


def pause_after(failures: int) -> float:
    """Return how long to wait after so many failures in a row: not at all, then ever longer."""
    if failures <= 1:
        return 0.0
    return float(min(1 << min(failures - 2, 16), _LONGEST_PAUSE))
