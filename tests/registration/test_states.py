"""Every way from one state of a client to another: who may take it, and what is refused."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from enrol.errors import OrderError
from enrol.explanations import explain
from enrol.registration.shown_state import shown_state
from enrol.registration.states import (
    AWAITING_APPROVAL,
    AWAITING_EFFECT,
    AWAITING_SECOND_APPROVAL,
    DELETED_BY_BANK,
    REJECTED_BY_BANK,
    SUSPENDED_BY_BANK,
    Cause,
    Standing,
    State,
    check_transition,
    may_move,
    state_at,
)

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)

ACTIVE = None
PENDING = Standing(State.PENDING, AWAITING_APPROVAL, AT)
LATER = Standing(State.PENDING, AWAITING_EFFECT, AT, effective_at=AT + timedelta(hours=2))
DUE = Standing(State.PENDING, AWAITING_EFFECT, AT, effective_at=AT)
BY_RULE = Standing(State.SUSPENDED, "cert_revoked", AT)
BY_BANK = Standing(State.SUSPENDED, SUSPENDED_BY_BANK, AT, "Fraud", "ann")
REJECTED = Standing(State.REJECTED, REJECTED_BY_BANK, AT, "Not a TPP", "ann")
GONE = Standing(State.DELETED, DELETED_BY_BANK, AT, "Not a TPP", "ann")
STANDINGS = {
    "pending": PENDING,
    "pending until a time": LATER,
    "pending until a time that has come": DUE,
    "active": ACTIVE,
    "suspended by the re-check": BY_RULE,
    "suspended by the bank": BY_BANK,
    "rejected": REJECTED,
    "deleted": GONE,
}

OPERATOR, RECHECK, TIME, TPP = Cause.OPERATOR, Cause.RECHECK, Cause.TIME, Cause.TPP
ALLOWED = {
    ("pending", State.PENDING): {OPERATOR, TPP},
    ("pending", State.ACTIVE): {OPERATOR, TIME},
    ("pending", State.REJECTED): {OPERATOR},
    ("pending", State.DELETED): {OPERATOR, TPP},
    ("pending until a time", State.PENDING): {OPERATOR, TPP},
    ("pending until a time", State.ACTIVE): {OPERATOR, TIME},
    ("pending until a time", State.REJECTED): {OPERATOR},
    ("pending until a time", State.DELETED): {OPERATOR, TPP},
    ("pending until a time that has come", State.ACTIVE): {TPP},
    ("pending until a time that has come", State.PENDING): {TPP},
    ("pending until a time that has come", State.SUSPENDED): {OPERATOR, RECHECK},
    ("pending until a time that has come", State.DELETED): {OPERATOR, TPP},
    ("active", State.ACTIVE): {TPP},
    ("active", State.PENDING): {TPP},
    ("active", State.SUSPENDED): {OPERATOR, RECHECK},
    ("active", State.DELETED): {OPERATOR, TPP},
    ("suspended by the re-check", State.ACTIVE): {RECHECK, TPP},
    ("suspended by the re-check", State.PENDING): {TPP},
    ("suspended by the re-check", State.SUSPENDED): {OPERATOR},
    ("suspended by the re-check", State.DELETED): {OPERATOR, TPP},
    ("suspended by the bank", State.ACTIVE): {OPERATOR},
    ("suspended by the bank", State.PENDING): {OPERATOR},
    ("suspended by the bank", State.SUSPENDED): {TPP},
    ("suspended by the bank", State.DELETED): {OPERATOR, TPP},
    ("rejected", State.DELETED): {OPERATOR, TPP},
}


@pytest.mark.parametrize(
    ("name", "to", "by"),
    [
        pytest.param(name, to, by, id=f"{name} to {to} by {by}")
        for name, to, by in product(STANDINGS, State, Cause)
    ],
)
def test_transition(name, to, by):
    standing = STANDINGS[name]
    allowed = by in ALLOWED.get((name, to), set())
    assert may_move(standing, to, by=by, at=AT) is allowed
    if allowed:
        check_transition(standing, to, by=by, at=AT)
    else:
        with pytest.raises(OrderError, match="transition_refused"):
            check_transition(standing, to, by=by, at=AT)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        pytest.param(AT - timedelta(microseconds=1), State.PENDING, id="just before"),
        pytest.param(AT, State.ACTIVE, id="at the time"),
        pytest.param(AT + timedelta(days=1), State.ACTIVE, id="after it"),
    ],
)
def test_a_client_is_active_from_its_time_on(at, state):
    assert state_at(DUE, at) is state


def test_only_what_is_pending_waits_for_a_time():
    assert state_at(Standing(State.SUSPENDED, "cert_revoked", AT, effective_at=AT), AT) == (
        State.SUSPENDED
    )


@pytest.mark.parametrize(
    "code",
    [
        *(AWAITING_APPROVAL, AWAITING_SECOND_APPROVAL, AWAITING_EFFECT),
        *(SUSPENDED_BY_BANK, REJECTED_BY_BANK, DELETED_BY_BANK),
        *("client_pending", "client_suspended", "client_rejected"),
        *("client_not_found", "transition_refused", "same_operator"),
        *("reason_missing", "reason_not_plain"),
    ],
)
def test_every_code_is_explained(code):
    assert explain(code).meaning.endswith(".")
    assert len(explain(code).meaning) <= 100


@pytest.mark.parametrize(
    ("standing", "shown"),
    [
        pytest.param(ACTIVE, {}, id="nothing of an active client"),
        pytest.param(DUE, {}, id="nothing once the time has come"),
        pytest.param(
            PENDING,
            {
                "client_state": "pending",
                "client_state_reason": "The bank has not approved the registration yet.",
            },
            id="what a pending client waits for",
        ),
        pytest.param(
            LATER,
            {
                "client_state": "pending",
                "client_state_reason": explain(AWAITING_EFFECT).meaning,
                "client_active_from": int(AT.timestamp()) + 7200,
            },
            id="the time a pending client waits for",
        ),
        pytest.param(
            REJECTED,
            {
                "client_state": "rejected",
                "client_state_reason": "The bank has rejected the registration. Not a TPP",
            },
            id="the words of the bank, and not whose they are",
        ),
        pytest.param(
            BY_RULE,
            {"client_state": "suspended", "client_state_reason": explain("cert_revoked").meaning},
            id="the rule a suspended client fails",
        ),
    ],
)
def test_a_tpp_is_shown(standing, shown):
    assert shown_state(standing, at=AT) == shown
