"""The outbox of a register as operators look at it, beside its server or without one."""

from collections.abc import Iterator
from typing import Final

import msgspec

from enrol.adapters import outbox_statements
from enrol.adapters.location import Location
from enrol.adapters.rows import Row, from_milliseconds
from enrol.adapters.view import open_view

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


def read_status(location: Location) -> OutboxStatus:
    """Return how much waits in a register; raises `ConfigurationError`."""
    with open_view(location) as view:
        (counted,) = view.rows(outbox_statements.COUNT)
        failed = view.first(outbox_statements.FIND_LAST_FAILURE)
    waiting, clients, given_up, oldest, failing_since = counted
    return OutboxStatus(
        waiting=waiting,
        clients=clients,
        given_up=given_up,
        oldest=_time(oldest),
        failing_since=_time(failing_since),
        last_failure=failed[0] if failed else None,
    )


def read_messages(location: Location) -> Iterator[ListedMessage]:
    """Return the messages that wait, in their order; raises `ConfigurationError`."""
    after = 0
    with open_view(location) as view:
        while True:
            page = view.rows(outbox_statements.LIST, after, _PAGE)
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
