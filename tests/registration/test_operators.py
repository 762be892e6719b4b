"""What people of the bank can do to clients, and what is written down of it."""

import json
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from enrol.errors import OrderError, UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.approval import AT_ONCE, Approval, ApprovalMode
from enrol.registration.audit import EventType
from enrol.registration.effective import WorkingDays
from enrol.registration.operators import Action, OperatorDesk, Order
from enrol.registration.states import (
    AWAITING_APPROVAL,
    AWAITING_EFFECT,
    AWAITING_SECOND_APPROVAL,
    DELETED_BY_BANK,
    REJECTED_BY_BANK,
    SUSPENDED_BY_BANK,
    Standing,
    State,
)
from registration.clients import AT, Register, client

ONE = ClientId("client-1")
DAYS = WorkingDays(time(9, 59), time(14), ZoneInfo("Europe/Paris"))
MANUAL = Approval(ApprovalMode.MANUAL)
FOUR_EYES = Approval(ApprovalMode.MANUAL, four_eyes=True)

SINCE = AT - timedelta(days=9)
WAITING = Standing(State.PENDING, AWAITING_APPROVAL, SINCE)
HALF = Standing(State.PENDING, AWAITING_SECOND_APPROVAL, AT, approved_by="ann")
TOMORROW = Standing(State.PENDING, AWAITING_EFFECT, SINCE, effective_at=AT + timedelta(hours=25))
DUE = replace(TOMORROW, effective_at=AT)
BY_RULE = Standing(State.SUSPENDED, "cert_expired", SINCE)
BY_BANK = Standing(State.SUSPENDED, SUSPENDED_BY_BANK, SINCE, "Fraud", "bob")
CHANGED = replace(BY_BANK, unapproved=True)
REJECTED = Standing(State.REJECTED, REJECTED_BY_BANK, SINCE, "Fraud", "bob")


def desk_of(register, approval=MANUAL):
    return OperatorDesk(clients=register, clock=lambda: AT, approval=approval)


async def order(register, action, reason="", *, actor="ann", approval=MANUAL, version=None):
    desk = desk_of(register, approval)
    return await desk.carry_out(Order(action, ONE, reason, version), actor=actor)


SUSPENDED = Standing(State.SUSPENDED, SUSPENDED_BY_BANK, AT, "Why", "ann")
DONE = [
    pytest.param(Action.APPROVE, WAITING, None, "client.approved", id="pending, approved"),
    pytest.param(
        Action.REJECT,
        WAITING,
        Standing(State.REJECTED, REJECTED_BY_BANK, AT, "Why", "ann"),
        "client.rejected",
        id="pending, rejected",
    ),
    pytest.param(
        Action.REJECT,
        TOMORROW,
        Standing(State.REJECTED, REJECTED_BY_BANK, AT, "Why", "ann"),
        "client.rejected",
        id="approved, rejected before its time",
    ),
    pytest.param(Action.SUSPEND, None, SUSPENDED, "client.suspended", id="active, suspended"),
    pytest.param(Action.SUSPEND, DUE, SUSPENDED, "client.suspended", id="due, suspended"),
    pytest.param(
        Action.SUSPEND, BY_RULE, SUSPENDED, "client.suspended", id="taken over from the re-check"
    ),
    pytest.param(Action.RESUME, BY_BANK, None, "client.resumed", id="suspended, resumed"),
    pytest.param(
        Action.RESUME,
        CHANGED,
        Standing(State.PENDING, AWAITING_APPROVAL, AT),
        "client.pending",
        id="resumed, and what was changed has to be approved",
    ),
    *[
        pytest.param(
            Action.DELETE,
            standing,
            Standing(State.DELETED, DELETED_BY_BANK, AT, "Why", "ann"),
            "client.deleted",
            id=f"{name}, deleted",
        )
        for name, standing in [
            *(("pending", WAITING), ("active", None), ("suspended", BY_BANK)),
            *(("suspended by the re-check", BY_RULE), ("rejected", REJECTED)),
        ]
    ],
]


@pytest.mark.parametrize(("action", "before", "after", "event"), DONE)
async def test_an_order_is_carried_out_and_written_down(action, before, after, event):
    register = Register(client(before))
    record = await order(register, action, "Why")
    assert record == client(after)
    (told,) = register.events
    assert (told.type, told.at, told.client_id) == (event, AT, ONE)
    evidence = json.loads(told.evidence)
    assert (evidence["actor"], evidence["reason"], evidence["version"]) == ("ann", "Why", 3)
    assert evidence.get("state") == (after.state if after else None)
    assert (ONE in register.clients) is (action is not Action.DELETE)


REFUSED = {
    Action.APPROVE: (None, DUE, TOMORROW, BY_RULE, BY_BANK, REJECTED),
    Action.REJECT: (None, DUE, BY_RULE, BY_BANK, REJECTED),
    Action.SUSPEND: (WAITING, TOMORROW, BY_BANK, REJECTED),
    Action.RESUME: (None, DUE, WAITING, TOMORROW, BY_RULE, REJECTED),
}


@pytest.mark.parametrize(
    ("action", "standing"),
    [
        pytest.param(
            action, standing, id=f"{action} {standing.code if standing else 'active'} {number}"
        )
        for action, standings in REFUSED.items()
        for number, standing in enumerate(standings)
    ],
)
@pytest.mark.parametrize("approval", [AT_ONCE, MANUAL, FOUR_EYES], ids=["plain", "one", "two"])
async def test_an_order_that_the_state_does_not_allow_is_refused(action, standing, approval):
    register = Register(client(standing))
    with pytest.raises(OrderError, match="transition_refused"):
        await order(register, action, "Why", approval=approval)
    assert (register.clients[ONE], register.events) == (client(standing), [])


async def test_what_is_approved_counts_from_the_next_working_day_where_that_is_set():
    register = Register(client(WAITING))
    approval = replace_days(MANUAL)
    record = await order(register, Action.APPROVE, approval=approval)
    effective_at = AT + timedelta(days=1, hours=1)
    assert record.standing == Standing(
        State.PENDING, AWAITING_EFFECT, AT, effective_at=effective_at
    )
    evidence = json.loads(register.events[0].evidence)
    assert evidence["effective_at"] == int(effective_at.timestamp())


def replace_days(approval):
    return Approval(approval.mode, approval.four_eyes, DAYS)


async def test_two_people_approve_where_four_eyes_look():
    register = Register(client(WAITING))
    first = await order(register, Action.APPROVE, approval=FOUR_EYES)
    assert first.standing == HALF
    second = await order(register, Action.APPROVE, "Seen", actor="bob", approval=FOUR_EYES)
    assert second.standing is None
    types = [event.type for event in register.events]
    assert types == [EventType.CLIENT_FIRST_APPROVED, EventType.CLIENT_APPROVED]
    assert [json.loads(event.evidence)["actor"] for event in register.events] == ["ann", "bob"]


@pytest.mark.parametrize("actor", ["ann", "ann by root", "ann by enrol"])
async def test_one_person_has_two_eyes_only(actor):
    register = Register(client(HALF))
    with pytest.raises(OrderError, match="same_operator"):
        await order(register, Action.APPROVE, actor=actor, approval=FOUR_EYES)
    assert register.events == []


async def test_a_first_approval_is_enough_once_four_eyes_are_not_asked_for():
    assert (await order(Register(client(HALF)), Action.APPROVE)).standing is None


async def test_half_an_approval_can_be_rejected_by_whoever_gave_it():
    record = await order(Register(client(HALF)), Action.REJECT, "Why", approval=FOUR_EYES)
    assert record.standing.state is State.REJECTED


@pytest.mark.parametrize("action", [Action.REJECT, Action.SUSPEND, Action.DELETE])
@pytest.mark.parametrize("standing", [None, WAITING])
async def test_an_order_against_a_tpp_has_a_reason(action, standing):
    with pytest.raises(OrderError, match="reason_missing"):
        await order(Register(client(standing)), action)


@pytest.mark.parametrize("reason", ["two\nlines", "x" * 141, "\u202etxet", "\x1b[1m", "  "])
@pytest.mark.parametrize("action", list(Action))
async def test_a_reason_is_plain_text(action, reason):
    with pytest.raises(OrderError, match="reason_not_plain"):
        await order(Register(client(WAITING)), action, reason)


async def test_a_client_that_is_not_there_is_not_found():
    with pytest.raises(OrderError, match="client_not_found"):
        await order(Register(client(name="client-2")), Action.DELETE, "Why")


async def test_an_order_is_for_the_version_that_was_looked_at():
    register = Register(client(WAITING))
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await order(register, Action.APPROVE, version=2)
    assert (await order(register, Action.APPROVE, version=3)).standing is None


async def test_of_two_orders_at_once_the_second_is_refused():
    class Looked(Register):
        async def find(self, client_id):
            return client(WAITING)  # as it was when the operator looked

    register = Looked(client(None))
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await order(register, Action.REJECT, "Why")
    assert register.events == []
