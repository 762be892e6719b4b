"""The states of a client, who may lead it from one to the other, and what keeps it from working."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from enrol.errors import OrderError


class State(StrEnum):
    """What a client may do: only an active one gets tokens; a deleted one is history."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REJECTED = "rejected"
    DELETED = "deleted"


class Cause(StrEnum):
    """Who leads a client to another state: a person of the bank, Enrol, the clock, the TPP."""

    OPERATOR = "operator"
    RECHECK = "recheck"
    TIME = "time"
    TPP = "tpp"


AWAITING_APPROVAL: Final = "awaiting_approval"
AWAITING_SECOND_APPROVAL: Final = "awaiting_second_approval"
AWAITING_EFFECT: Final = "awaiting_effect"
SUSPENDED_BY_BANK: Final = "suspended_by_bank"
REJECTED_BY_BANK: Final = "rejected_by_bank"
DELETED_BY_BANK: Final = "deleted_by_bank"

_BY_BOTH: Final = frozenset({Cause.OPERATOR, Cause.TPP})

TRANSITIONS: Final[Mapping[tuple[State, State], frozenset[Cause]]] = {
    (State.PENDING, State.PENDING): _BY_BOTH,
    (State.PENDING, State.ACTIVE): frozenset({Cause.OPERATOR, Cause.TIME}),
    (State.PENDING, State.REJECTED): frozenset({Cause.OPERATOR}),
    (State.PENDING, State.DELETED): _BY_BOTH,
    (State.ACTIVE, State.ACTIVE): frozenset({Cause.TPP}),
    (State.ACTIVE, State.PENDING): frozenset({Cause.TPP}),
    (State.ACTIVE, State.SUSPENDED): frozenset({Cause.OPERATOR, Cause.RECHECK}),
    (State.ACTIVE, State.DELETED): _BY_BOTH,
    (State.SUSPENDED, State.ACTIVE): frozenset({Cause.OPERATOR, Cause.RECHECK, Cause.TPP}),
    (State.SUSPENDED, State.PENDING): _BY_BOTH,
    (State.SUSPENDED, State.SUSPENDED): _BY_BOTH,
    (State.SUSPENDED, State.DELETED): _BY_BOTH,
    (State.REJECTED, State.DELETED): _BY_BOTH,
}
"""Every way from one state to the next, and who may take it; what is not here is refused.

An operator approves and rejects what is pending, suspends what is active, and takes over what the
re-check suspended. An update of the TPP keeps a state, ends a suspension of the re-check, or makes
a client pending again.
"""


class Standing(msgspec.Struct, frozen=True):
    """What keeps a client from being active, which an ordinary one has none of.

    `code` is the id of a rule, `reason` the plain words of `actor`, a person of the bank. A
    pending client is active from `effective_at` on; `approved_by` is who approved it first where
    two have to. What is `unapproved` was changed while it was suspended, and has to be approved
    when it is resumed. Times are aware UTC.
    """

    state: State
    code: str
    since: datetime
    reason: str | None = None
    actor: str | None = None
    effective_at: datetime | None = None
    approved_by: str | None = None
    unapproved: bool = False

    @property
    def is_of_bank(self) -> bool:
        """Whether a person of the bank suspended the client: then only such a person resumes it."""
        return self.code == SUSPENDED_BY_BANK


def state_at(standing: Standing | None, at: datetime) -> State:
    """Return the state of a client at a moment: what it waits for may be only the time."""
    if standing is None or is_due(standing, at):
        return State.ACTIVE
    return standing.state


def is_due(standing: Standing, at: datetime) -> bool:
    """Tell whether a client is active, as the time has come that it was pending for."""
    return (
        standing.state is State.PENDING
        and standing.effective_at is not None
        and standing.effective_at <= at
    )


def check_transition(standing: Standing | None, to: State, *, by: Cause, at: datetime) -> None:
    """Raise `OrderError` ``transition_refused`` unless `may_move`."""
    if not may_move(standing, to, by=by, at=at):
        raise OrderError("transition_refused")


def may_move(standing: Standing | None, to: State, *, by: Cause, at: datetime) -> bool:
    """Tell whether `by` may lead a client to another state.

    Who suspended a client resumes it: what the bank did the re-check and updates leave alone, and
    what the re-check did ends when its reason ends.
    """
    state = state_at(standing, at)
    allowed = by in TRANSITIONS.get((state, to), ())
    if allowed and standing is not None and state is State.SUSPENDED:
        return to is State.DELETED or _may_change(standing, to, by)
    return allowed


def _may_change(suspension: Standing, to: State, by: Cause) -> bool:
    """Tell whether a suspension is ended, kept or taken over by whom it is for."""
    is_operator = by is Cause.OPERATOR
    if to is State.SUSPENDED:
        return is_operator != suspension.is_of_bank
    return is_operator == suspension.is_of_bank
