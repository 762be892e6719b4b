"""The transactional outbox: what is told of clients is written with the change it tells of.

A message stays until its receiver has taken it. Those of one client are told in their order: what
stands first holds up what is behind it, also once it was given up.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from enrol.adapters import outbox_statements, rows, statements
from enrol.adapters.connection import Connection
from enrol.adapters.rows import Row
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.client_events import event_of_client, event_of_end
from enrol.registration.record import ClientRecord

Written = Mapping[ClientId, ClientRecord]

_ID_DIGITS: Final = 32


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way; `id` is the number of its audit event.

    `message_id` is the same at each attempt, and another's never. `attempts` failed so far, the
    first of them at `failing_since`.
    """

    id: int
    message_id: str
    client_id: ClientId
    type: str
    payload: bytes
    attempts: int = 0
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that was taken."""

    message: Message


@dataclass(frozen=True, slots=True)
class Postponed:
    """A message that was not taken, for the reason `failure`; with no `next_at` it is given up."""

    message: Message
    failure: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of some messages, as of `at`."""

    outcomes: tuple[Delivered | Postponed, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Revival:
    """An operator's order to send a message at once, or with None every one that stands first."""

    id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """An operator's order to tell a message to nobody, and the event of that."""

    id: int
    event: AuditEvent


OutboxWrite = Settlement | Revival | Drop


class OutboxWriter:
    """Writes into the outbox, inside the transactions of the register.

    `told` are the types of events that are told; with none nothing is written.
    """

    def __init__(self, told: frozenset[EventType] = frozenset()) -> None:
        self._told = told

    def carry_out(self, connection: Connection, write: OutboxWrite) -> None:
        """Write what became of messages, or what is to become of them."""
        match write:
            case Settlement(outcomes, at):
                for outcome in outcomes:
                    _settle(connection, outcome, rows.milliseconds(at))
            case Revival(None, at):
                connection.execute(outbox_statements.REVIVE_ALL, (rows.milliseconds(at),))
            case Revival(number, at):
                connection.execute(outbox_statements.REVIVE, (rows.milliseconds(at), number))
            case Drop(number, event):
                client_id = event.client_id or ""
                _remove(connection, number, client_id, rows.milliseconds(event.at))

    def put(
        self,
        connection: Connection,
        events: Sequence[AuditEvent],
        linked: Sequence[Row],
        written: Sequence[ClientRecord],
    ) -> None:
        """Put what is told of events into the outbox, once their clients are written.

        `linked` are their rows in the audit trail; `written` are clients as they stand now.
        """
        if not self._told:
            return
        known = {record.client_id: record for record in written}
        messages = [
            _message_row(connection, event, row, known)
            for event, row in zip(events, linked, strict=True)
            if event.type in self._told
        ]
        if messages:
            connection.executemany(outbox_statements.INSERT_MESSAGE, messages)


NOTHING_TOLD: Final = OutboxWriter()
"""Of a register that tells nobody."""


class OutboxNews:
    """Tells whoever delivers that there may be something to do."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._is_urgent = False

    def spread(self) -> None:
        """Wake who waits."""
        self._event.set()

    def urge(self) -> None:
        """Wake who waits, to try at once what was put off."""
        self._is_urgent = True
        self._event.set()

    def take_urgency(self) -> bool:
        """Return whether it was urged since the last time."""
        urgent, self._is_urgent = self._is_urgent, False
        return urgent

    async def wait(self, seconds: float) -> None:
        """Return at once where there was news since the last time, else with it, or in time."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


def _settle(connection: Connection, outcome: Delivered | Postponed, now: int) -> None:
    match outcome:
        case Delivered(message):
            _remove(connection, message.id, message.client_id, now)
        case Postponed(message, failure, next_at):
            later = None if next_at is None else rows.milliseconds(next_at)
            given_up = now if next_at is None else None
            parameters = (later, now, failure, given_up, message.id)
            connection.execute(outbox_statements.POSTPONE, parameters)


def _remove(connection: Connection, number: int, client_id: str, now: int) -> None:
    """Remove a message, and let the next one of its client go."""
    connection.execute(outbox_statements.DELETE_MESSAGE, (number,))
    connection.execute(outbox_statements.ADVANCE, (now, client_id))


def _message_row(connection: Connection, event: AuditEvent, linked: Row, written: Written) -> Row:
    """Return the parameters of `INSERT_MESSAGE`; the hash of the event makes its id one of a kind.

    Numbers alone would come again after a backup was restored.
    """
    number, at, event_type, *_, digest = linked
    client_id = ClientId(event.client_id or "")
    record = written.get(client_id) or rows.living_client(
        connection.execute(statements.FIND_CLIENT, (client_id,)).fetchall()
    )
    if record is not None:
        payload = event_of_client(event, number, record)
    else:
        found = connection.execute(statements.FIND_REMOVAL, (client_id,)).fetchone()
        payload = event_of_end(event, number, version=found[0] if found else 0)
    message_id = f"evt_{digest.hex()[:_ID_DIGITS]}"
    return (number, message_id, client_id, event_type, at, payload, client_id, at)
