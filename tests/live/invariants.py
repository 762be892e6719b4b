"""What must hold of a register after any fault, judged by its rows and the ledgers outside of it.

I1: every acknowledged change is there. I2: what nobody was told of is not, and what was asked for
twice happened once. I3: no half rows: client, keys, ledger and audit event stand together.
I4: the file is sound. See `enrol audit verify` for the chain of the events.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from live.ledger import Ledger

_CHANGES = "('client.registered', 'client.updated', 'client.deleted')"


class Books(Protocol):
    """A register that can be read beside its server."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds."""

    def damage(self) -> list[str]:
        """Return what the database's own check finds wrong."""


def lost(books: Books, ledgers: Iterable[Ledger]) -> list[str]:
    """Return every acknowledged change that is not there (I1), but for clients of open steps."""
    standing = dict(books.rows("SELECT client_id, version FROM clients"))
    found = []
    for ledger in ledgers:
        uncertain = ledger.open.client_id if ledger.open else None
        for client_id, version in ledger.clients.items():
            if client_id != uncertain and standing.get(client_id) != version:
                found.append(f"{client_id}: {standing.get(client_id)} instead of {version}")
        found += [f"{client_id} was deleted" for client_id in ledger.removed & standing.keys()]
    return found


def invented(books: Books, ledgers: Sequence[Ledger]) -> list[str]:
    """Return every client nobody was told of, and every request that happened not once (I2).

    To be asked once there are no open steps any more.
    """
    known = {client_id for ledger in ledgers for client_id in ledger.clients}
    standing = {client_id for (client_id,) in books.rows("SELECT client_id FROM clients")}
    found = [f"nobody was told of {client_id}" for client_id in standing - known]
    asked = Counter(request_id for ledger in ledgers for request_id in ledger.asked)
    kept = books.rows("SELECT request_id, client_id FROM ledger")
    happened = Counter(request_id for request_id, _ in kept)
    for request_id, count in (happened - asked).items():
        found.append(f"{request_id} stands {count} times more than it was asked for")
    told = {i: c for ledger in ledgers for i, c in ledger.registered.items()}
    for request_id, client_id in kept:
        if told.get(request_id, client_id) != client_id:
            found.append(f"{request_id} made {client_id}, but {told[request_id]} was told")
    for ledger in ledgers:
        found += ledger.contradictions
    return found


def halves(books: Books, ledgers: Sequence[Ledger]) -> list[str]:
    """Return what stands without what belongs to it (I3), once there are no open steps."""
    clients = {client_id for (client_id,) in books.rows("SELECT client_id FROM clients")}
    keyed = {client_id for (client_id,) in books.rows("SELECT DISTINCT client_id FROM client_keys")}
    found = [f"the keys of {client_id} stand alone or lack" for client_id in clients ^ keyed]
    asked = Counter(request_id for ledger in ledgers for request_id in ledger.asked)
    for table, condition in (("ledger", ""), ("audit_events", f"WHERE type IN {_CHANGES}")):
        kept = Counter(i for (i,) in books.rows(f"SELECT request_id FROM {table} {condition}"))
        found += [f"{request_id} is not in {table}" for request_id in asked - kept]
        found += [f"{request_id} is too often in {table}" for request_id in kept - asked]
    return found
