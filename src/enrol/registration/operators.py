"""What the people of the bank do to clients: approve, reject, suspend, resume, delete."""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec import structs

from enrol.errors import OrderError, UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.approval import Approval, awaiting_approval
from enrol.registration.audit import EventType
from enrol.registration.evidence import Ordered, event_of_state
from enrol.registration.ports import Clock, ManagedClients, StateChange
from enrol.registration.record import ClientRecord
from enrol.registration.states import (
    AWAITING_EFFECT,
    AWAITING_SECOND_APPROVAL,
    DELETED_BY_BANK,
    REJECTED_BY_BANK,
    SUSPENDED_BY_BANK,
    Cause,
    Standing,
    State,
    check_transition,
    state_at,
)
from enrol.registration.texts import is_plain_text


class Action(StrEnum):
    """What is done to a client."""

    APPROVE = "approve"
    REJECT = "reject"
    SUSPEND = "suspend"
    RESUME = "resume"
    DELETE = "delete"


class Order(msgspec.Struct, frozen=True):
    """An action on a client, and why: plain text, which may be empty to approve and to resume.

    With a `version` it is carried out only if the client is at that one.
    """

    action: Action
    client_id: ClientId
    reason: str = ""
    version: int | None = None


class OperatorDesk:
    """Carries out what operators order, and writes down who ordered it and why."""

    def __init__(self, *, clients: ManagedClients, clock: Clock, approval: Approval) -> None:
        self._clients = clients
        self._clock = clock
        self._approval = approval

    async def carry_out(self, order: Order, *, actor: str) -> ClientRecord:
        """Carry an order out and return the client as it is then, its last form where it is gone.

        Raises `OrderError` ``client_not_found``, ``transition_refused``, ``same_operator``,
        ``reason_missing``, ``reason_not_plain``, and `UnavailableError` ``concurrent_change`` where
        the client is at another version or changed meanwhile, and ``storage_unavailable``.
        """
        at = self._clock().replace(microsecond=0)
        record = await self._clients.find(order.client_id)
        if record is None:
            raise OrderError("client_not_found")
        if order.version not in (None, record.version):
            raise UnavailableError("concurrent_change", retry_after=1)
        _check_reason(order)
        after, event = self._outcome(record, order, actor, at)
        ordered = Ordered(actor, order.reason or None)
        told = event_of_state(record, after, event, at=at, ordered=ordered)
        await self._clients.set_state(
            StateChange(record.client_id, record.version, record.standing, after, told)
        )
        return structs.replace(record, standing=after)

    def _outcome(
        self, record: ClientRecord, order: Order, actor: str, at: datetime
    ) -> tuple[Standing | None, EventType]:
        """Return how a client stands once an order is carried out, and what has happened then."""
        standing = record.standing
        after: Standing | None
        match order.action:
            case Action.APPROVE:
                after, event = self._approved(standing, actor, at)
            case Action.RESUME if standing is not None and standing.unapproved:
                after, event = awaiting_approval(at), EventType.CLIENT_PENDING
            case Action.RESUME:
                after, event = None, EventType.CLIENT_RESUMED
            case _:
                state, code, event = _ENDS[order.action]
                after = Standing(state, code, at, order.reason, actor)
        _check_order(order.action, standing, after, at=at)
        return after, event

    def _approved(
        self, standing: Standing | None, actor: str, at: datetime
    ) -> tuple[Standing | None, EventType]:
        """Return what an approval comes to: with four eyes the first only that there is one."""
        if standing is None or not self._approval.four_eyes:
            return self._approval.approved(at), EventType.CLIENT_APPROVED
        if standing.approved_by is None:
            first = structs.replace(
                standing, code=AWAITING_SECOND_APPROVAL, since=at, approved_by=actor
            )
            return first, EventType.CLIENT_FIRST_APPROVED
        if _person(standing.approved_by) == _person(actor):
            raise OrderError("same_operator")
        return self._approval.approved(at), EventType.CLIENT_APPROVED


_ENDS: Final = {
    Action.REJECT: (State.REJECTED, REJECTED_BY_BANK, EventType.CLIENT_REJECTED),
    Action.SUSPEND: (State.SUSPENDED, SUSPENDED_BY_BANK, EventType.CLIENT_SUSPENDED),
    Action.DELETE: (State.DELETED, DELETED_BY_BANK, EventType.CLIENT_DELETED),
}
_ACTS_ON: Final = {Action.APPROVE: State.PENDING, Action.RESUME: State.SUSPENDED}
_UNGROUNDED: Final = (Action.APPROVE, Action.RESUME)


def _check_order(
    action: Action, standing: Standing | None, after: Standing | None, *, at: datetime
) -> None:
    """Raise `OrderError` ``transition_refused`` unless an operator may do this to a client now.

    What was approved waits for nothing but its time.
    """
    state = state_at(standing, at)
    is_approved = standing is not None and standing.code == AWAITING_EFFECT
    if _ACTS_ON.get(action, state) is not state or (action is Action.APPROVE and is_approved):
        raise OrderError("transition_refused")
    check_transition(standing, state_at(after, at), by=Cause.OPERATOR, at=at)


def _check_reason(order: Order) -> None:
    if not order.reason and order.action not in _UNGROUNDED:
        raise OrderError("reason_missing")
    if order.reason and not is_plain_text(order.reason):
        raise OrderError("reason_not_plain")


def _person(actor: str) -> str:
    """Return the name of an actor, whatever account it came by: ``NAME`` or ``NAME by account``."""
    return actor.partition(" by ")[0]
