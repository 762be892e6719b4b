"""The clients of a register as the people of the bank look at them, read beside its server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Integer, bindparam, literal_column, select, tuple_

from enrol.adapters import rows, statements
from enrol.adapters.location import Location
from enrol.adapters.sql import compiled
from enrol.adapters.tables import audit_events, clients
from enrol.adapters.view import RegisterView, open_view
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
    """The clients; every method raises `ConfigurationError` where they cannot be read."""

    def __init__(self, view: RegisterView) -> None:
        self._view = view

    def clients(self, organization: OrganizationIdentifier | None = None) -> Iterator[ClientRecord]:
        """Return the living clients, of one organisation or all, by organisation and client_id."""
        place = (organization or "", "")
        while True:
            some = self._view.rows(_FIND_NEXT, *place, AT_ONCE)
            for place in some:
                if organization not in (None, place[0]):
                    return
                record = self.find(ClientId(place[1]))
                if record is not None:  # else it was deleted meanwhile
                    yield record
            if len(some) < AT_ONCE:
                return

    def find(self, client_id: ClientId) -> ClientRecord | None:
        """Return a living client."""
        return rows.living_client(self._view.rows(statements.FIND_CLIENT, client_id))

    def find_ended(self, client_id: ClientId) -> ClientRecord | None:
        """Return a client that was deleted, as it was then."""
        removal = self._view.first(statements.FIND_REMOVAL, client_id)
        if removal is None:
            return None
        row = self._view.first(statements.FIND_ENDED_VERSION, client_id, *removal)
        return rows.ended_client(row) if row is not None else None

    def last_events(self, client_id: ClientId, limit: int) -> list[ChainedEvent]:
        """Return what happened to a client last, the newest first."""
        found = self._view.rows(_FIND_LAST_EVENTS, client_id, limit)
        return [ChainedEvent(*row) for row in found]


@contextmanager
def open_roster(location: Location) -> Iterator[Roster]:
    """Open a register to look at its clients; raises `ConfigurationError`."""
    with open_view(location) as view:
        yield Roster(view)
