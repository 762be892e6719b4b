"""A fault as the catalogue has it."""

from collections.abc import Callable
from dataclasses import dataclass

from faults.ground import Ground
from faults.result import Finding

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"

Run = Callable[[Ground], tuple[Finding, ...]]
"""Makes the fault and returns its findings; raises `NotHere` where the machine cannot."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One run: its number in the plan of faults, the storage, what is done, and how.

    `done` is a sentence for the report; `name` tells runs of one number apart.
    """

    number: str
    done: str
    run: Run
    storage: str = SQLITE
