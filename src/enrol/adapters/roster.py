"""The clients of a register as the people of the bank look at them, read beside its server."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Integer, bindparam, literal_column, select, tuple_

from enrol.adapters import rows, statements
from enrol.adapters.database import connect_to_read, translated
from enrol.adapters.statements import compiled
from enrol.adapters.tables import audit_events, clients
from enrol.eidas.organization import OrganizationIdentifier
from enrol.oauth.types import ClientId
from enrol.registration.chain import ChainedEvent
from enrol.registration.record import ClientRecord

AT_ONCE: Final = 200
"""Clients looked up in one step, too short for the server's log to grow long."""

_NO_OFFSET = literal_column("0", type_=Integer)

_FIND_NEXT: Final = compiled(
    select(clients.c.organization_identifier, clients.c.client_id)
    .where(
        tuple_(clients.c.organization_identifier, clients.c.client_id)
        > tuple_(bindparam("after_organization"), bindparam("after"))
    )
    .order_by(clients.c.organization_identifier, clients.c.client_id)
    .limit(bindparam("limit", type_=Integer))
    .offset(_NO_OFFSET),
    *("after_organization", "after", "limit"),
)
_FIND_LAST_EVENTS: Final = compiled(
    select(audit_events)
    .where(audit_events.c.client_id == bindparam("client_id"))
    .order_by(audit_events.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
    .offset(_NO_OFFSET),
    *("client_id", "limit"),
)


class Roster:
    """The clients; every method raises `ConfigurationError` where the file cannot be read."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def clients(self, organization: OrganizationIdentifier | None = None) -> Iterator[ClientRecord]:
        """Return the living clients, of one organisation or all, by organisation and client_id."""
        place = (organization or "", "")
        while True:
            with translated(self._path):
                some = self._connection.execute(_FIND_NEXT, (*place, AT_ONCE)).fetchall()
            for place in some:
                if organization not in (None, place[0]):
                    return
                record = self.find(place[1])
                if record is not None:  # else it was deleted meanwhile
                    yield record
            if len(some) < AT_ONCE:
                return

    def find(self, client_id: ClientId) -> ClientRecord | None:
        """Return a living client."""
        with translated(self._path):
            found = self._connection.execute(statements.FIND_CLIENT, (client_id,)).fetchall()
        return rows.living_client(found)

    def find_ended(self, client_id: ClientId) -> ClientRecord | None:
        """Return a client that was deleted, as it was then."""
        with translated(self._path):
            removal = self._connection.execute(statements.FIND_REMOVAL, (client_id,)).fetchone()
            if removal is None:
                return None
            last = (client_id, removal[0])
            row = self._connection.execute(statements.FIND_ENDED_VERSION, last).fetchone()
        return rows.ended_client(row)

    def last_events(self, client_id: ClientId, limit: int) -> list[ChainedEvent]:
        """Return what happened to a client last, the newest first."""
        with translated(self._path):
            parameters = (client_id, limit)
            found = self._connection.execute(_FIND_LAST_EVENTS, parameters).fetchall()
        return [ChainedEvent(*row) for row in found]


@contextmanager
def open_roster(path: Path) -> Iterator[Roster]:
    """Open the register at `path`; raises `ConfigurationError` as `connect_to_read` does."""
    with closing(connect_to_read(path)) as connection:
        yield Roster(path, connection)
