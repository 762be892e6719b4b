"""What a register holds, counted: how a backup is compared with what it was made of."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from enrol.adapters.sql import Statement, compiled
from enrol.adapters.tables import metadata
from enrol.adapters.trail import DatabaseTrail
from enrol.adapters.view import RegisterView
from enrol.registration.chain import Head

_COUNTS: Final[dict[str, Statement]] = {
    table.name: compiled(select(func.count()).select_from(table))
    for table in metadata.sorted_tables
}


@dataclass(frozen=True, slots=True)
class Inventory:
    """Rows by table, and where the chain of audit events ends."""

    rows: dict[str, int]
    head: Head


def take_inventory(view: RegisterView) -> Inventory:
    """Count a register that is up to date; raises `ConfigurationError` where it cannot be read."""
    rows = {name: view.rows(statement)[0][0] for name, statement in _COUNTS.items()}
    return Inventory(rows, DatabaseTrail(view).head)
