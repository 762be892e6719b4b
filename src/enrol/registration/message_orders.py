"""What the people of the bank do to messages that wait: send them again, or tell nobody."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import OrderError
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent
from enrol.registration.evidence import event_of_drop
from enrol.registration.ports import Clock
from enrol.registration.texts import is_plain_text


class MessageAction(StrEnum):
    """What is done to a message."""

    RETRY = "retry"
    DROP = "drop"


class MessageOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action on the message of an event, with None on each that stands first of its client.

    Only what is dropped needs a `reason`, plain text.
    """

    action: MessageAction
    id: int | None = None
    reason: str = ""


class WaitingMessage(msgspec.Struct, frozen=True):
    """A message of the outbox; one that does not stand first waits for another of its client."""

    id: int
    client_id: ClientId
    organization_identifier: OrganizationIdentifier | None
    stands_first: bool


class Messages(Protocol):
    """The messages that wait; every method raises `UnavailableError`."""

    async def find(self, number: int) -> WaitingMessage | None:
        """Return the message of an event, None where it was told, or nobody is to be."""

    async def retry(self, number: int | None, at: datetime) -> None:
        """Send a message at once that stands first, or every one that does."""

    async def drop(self, number: int, event: AuditEvent) -> None:
        """Remove a message, and write the event of that."""


class MessageDesk:
    """Carries out what operators order, and writes down what they leave untold."""

    def __init__(self, messages: Messages, clock: Clock) -> None:
        self._messages = messages
        self._clock = clock

    async def carry_out(self, order: MessageOrder, *, actor: str) -> None:
        """Carry an order out.

        Raises `OrderError` ``message_unknown``, ``message_waits``, ``reason_missing``,
        ``reason_not_plain``, and `UnavailableError`.
        """
        at = self._clock()
        if order.id is None:
            if order.action is MessageAction.DROP:
                raise OrderError("message_unknown")
            await self._messages.retry(None, at)
            return
        message = await self._messages.find(order.id)
        if message is None:
            raise OrderError("message_unknown")
        match order.action:
            case MessageAction.RETRY:
                if not message.stands_first:
                    raise OrderError("message_waits")
                await self._messages.retry(message.id, at)
            case MessageAction.DROP:
                _check_reason(order.reason)
                event = event_of_drop(
                    message.id,
                    message.client_id,
                    message.organization_identifier,
                    actor=actor,
                    reason=order.reason,
                    at=at,
                )
                await self._messages.drop(message.id, event)


def _check_reason(reason: str) -> None:
    if not reason:
        raise OrderError("reason_missing")
    if not is_plain_text(reason):
        raise OrderError("reason_not_plain")
