"""The outbox of a register as operators look at it, beside its server or without one."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from enrol.adapters import outbox_statements
from enrol.adapters.database import connect_to_read, translated
from enrol.adapters.rows import Row, from_milliseconds

_PAGE: Final = 500


class OutboxStatus(msgspec.Struct, frozen=True):
    """How much waits: messages, clients they are of, those given up, and since when (aware UTC)."""

    waiting: int
    clients: int
    given_up: int
    oldest: str | None
    failing_since: str | None
    last_failure: str | None


class ListedMessage(msgspec.Struct, frozen=True):
    """One message; `state` is due, failing, behind another of its client, or given_up."""

    id: int
    message_id: str
    client_id: str
    type: str
    at: str
    state: str
    attempts: int
    next_at: str | None
    failing_since: str | None
    failure: str | None


def read_status(path: Path) -> OutboxStatus:
    """Return how much waits in the register at `path`; raises `ConfigurationError`."""
    with closing(connect_to_read(path)) as connection, translated(path):
        counted = connection.execute(outbox_statements.COUNT).fetchone()
        failed = connection.execute(outbox_statements.FIND_LAST_FAILURE).fetchone()
    waiting, clients, given_up, oldest, failing_since = counted
    return OutboxStatus(
        waiting=waiting,
        clients=clients,
        given_up=given_up,
        oldest=_time(oldest),
        failing_since=_time(failing_since),
        last_failure=failed[0] if failed else None,
    )


def read_messages(path: Path) -> Iterator[ListedMessage]:
    """Return the messages that wait, in their order; raises `ConfigurationError`."""
    after = 0
    with closing(connect_to_read(path)) as connection:
        while True:
            with translated(path):
                page = connection.execute(outbox_statements.LIST, (after, _PAGE)).fetchall()
            for row in page:
                yield _listed(row)
            if len(page) < _PAGE:
                return
            after = page[-1][0]


def _listed(row: Row) -> ListedMessage:
    number, message_id, client_id, event_type, at, attempts, *rest = row
    next_at, failing_since, failure, dead_at = rest
    return ListedMessage(
        id=number,
        message_id=message_id,
        client_id=client_id,
        type=event_type,
        at=from_milliseconds(at).isoformat(),
        state=_state(attempts, next_at, dead_at),
        attempts=attempts,
        next_at=_time(next_at),
        failing_since=_time(failing_since),
        failure=failure,
    )


def _state(attempts: int, next_at: int | None, dead_at: int | None) -> str:
    if dead_at is not None:
        return "given_up"
    if next_at is None:
        return "behind"
    return "failing" if attempts else "due"


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else from_milliseconds(milliseconds).isoformat()
