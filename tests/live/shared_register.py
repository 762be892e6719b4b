"""Banks whose registers are in PostgreSQL, one of several servers each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster import Database
from live.desk import Desk


@dataclass
class NodeDesk(Desk):
    """A bank that shares its register; `check` has its database look for damage."""

    register: Database | None = None
    check: Callable[[], list[str]] = list

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        assert self.register is not None
        return self.register.rows(sql, *parameters)

    def damage(self) -> list[str]:
        return self.check()


def node(desk: Desk, folder: Path, register: Database, **settings: Any) -> NodeDesk:
    """Return a bank as `Desk.beside` does, with its register in a database."""
    alone = desk.beside(folder, **settings)
    shared = {
        "storage.path": "",
        "storage.url": register.server_url,
        "storage.migration_url": register.owner_url,
        "storage.state": str(folder),
    }
    return NodeDesk(
        folder, alone.options, alone.settings | shared, issuer=alone.issuer, register=register
    )
