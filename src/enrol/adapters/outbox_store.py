"""The outbox of a register, as whoever delivers sees it."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from enrol.adapters import outbox_statements, rows
from enrol.adapters.outbox import Drop, Message, OutboxNews, OutboxWrite, Revival, Settlement
from enrol.adapters.rows import Row
from enrol.adapters.sql import Statement
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent
from enrol.registration.message_orders import WaitingMessage

T = TypeVar("T")


class _Reader(Protocol):
    async def fetch(
        self, statement: Statement, parameters: Row, convert: Callable[[Sequence[Row]], T]
    ) -> T:
        """Return what `convert` makes of the rows a statement finds."""


class _Duty(Protocol):
    async def is_mine(self) -> bool:
        """Return whether this server does what one has to do."""


class OutboxStore:
    """Messages that wait, read and settled beside the requests.

    Every method raises `UnavailableError` where the register cannot be read or written.
    """

    def __init__(
        self,
        reader: _Reader,
        submit: Callable[[OutboxWrite], Awaitable[object]],
        *,
        duty: _Duty,
        news: OutboxNews,
    ) -> None:
        self._reader = reader
        self._submit = submit
        self._duty = duty
        self.news = news

    async def is_mine(self) -> bool:
        """Return whether this server is the one that sends."""
        return await self._duty.is_mine()

    async def due(self, at: datetime, limit: int) -> tuple[Message, ...]:
        """Return messages to be sent now, each of another client; what is due longest comes first.

        Whoever sends them settles all of them before asking again.
        """
        parameters = (rows.milliseconds(at), limit)
        return await self._reader.fetch(outbox_statements.FIND_DUE, parameters, _messages)

    async def next_time(self) -> datetime | None:
        """Return when a message is to be sent next, None where none waits."""
        return await self._reader.fetch(outbox_statements.FIND_NEXT_TIME, (), _first_time)

    async def settle(self, settlement: Settlement) -> None:
        """Make durable what became of messages."""
        await self._submit(settlement)

    async def find(self, number: int) -> WaitingMessage | None:
        """Return the message of an event, None where it was told, or nobody is to be."""
        return await self._reader.fetch(outbox_statements.FIND_MESSAGE, (number,), _waiting)

    async def retry(self, number: int | None, at: datetime) -> None:
        """Send a message at once that stands first, or every one that does."""
        await self._submit(Revival(number, at))
        self.news.urge()

    async def drop(self, number: int, event: AuditEvent) -> None:
        """Remove a message, and write the event of that."""
        await self._submit(Drop(number, event))


def _messages(found: Sequence[Row]) -> tuple[Message, ...]:
    return tuple([_message(row) for row in found])


def _message(row: Row) -> Message:
    number, message_id, client_id, event_type, payload, attempts, failing_since = row
    since = None if failing_since is None else rows.from_milliseconds(failing_since)
    return Message(
        number,
        message_id,
        ClientId(client_id),
        event_type,
        payload,
        attempts=attempts,
        failing_since=since,
    )


def _waiting(found: Sequence[Row]) -> WaitingMessage | None:
    if not found:
        return None
    number, client_id, organization, next_at, dead_at = found[0]
    return WaitingMessage(
        id=number,
        client_id=ClientId(client_id),
        organization_identifier=organization,
        stands_first=next_at is not None or dead_at is not None,
    )


def _first_time(found: Sequence[Row]) -> datetime | None:
    (milliseconds,) = found[0]
    return None if milliseconds is None else rows.from_milliseconds(milliseconds)
