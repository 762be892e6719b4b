"""How a client stands once it is registered, and once it is updated."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from enrol.errors import EntitlementError
from enrol.oauth.jwk import JsonWebKey, JsonWebKeySet
from enrol.oauth.metadata import Contact
from enrol.registration.activation import AT_ONCE as MOST
from enrol.registration.activation import activate_due
from enrol.registration.approval import AT_ONCE, Approval, ApprovalMode, transition_of
from enrol.registration.audit import EventType
from enrol.registration.effective import WorkingDays
from enrol.registration.states import (
    AWAITING_APPROVAL,
    AWAITING_EFFECT,
    AWAITING_SECOND_APPROVAL,
    REJECTED_BY_BANK,
    SUSPENDED_BY_BANK,
    Standing,
    State,
)
from registration.clients import AT, METADATA, Register, client

DAYS = WorkingDays(time(9, 59), time(14), ZoneInfo("Europe/Paris"))
MANUAL = Approval(ApprovalMode.MANUAL)
LATER = Approval(working_days=DAYS)
BOTH = Approval(ApprovalMode.MANUAL, working_days=DAYS)

SINCE = AT - timedelta(days=9)
ANEW = Standing(State.PENDING, AWAITING_APPROVAL, AT)
WAITING = replace(ANEW, since=SINCE)
HALF = replace(WAITING, code=AWAITING_SECOND_APPROVAL, approved_by="ann")
TOMORROW = Standing(State.PENDING, AWAITING_EFFECT, SINCE, effective_at=AT + timedelta(hours=25))
DUE = replace(TOMORROW, effective_at=AT)
BY_RULE = Standing(State.SUSPENDED, "cert_expired", SINCE)
BY_BANK = Standing(State.SUSPENDED, SUSPENDED_BY_BANK, SINCE, "Fraud", "ann")
CHANGED_WHILE_SUSPENDED = replace(BY_BANK, unapproved=True)
REJECTED = Standing(State.REJECTED, REJECTED_BY_BANK, SINCE, "Fraud", "ann")

OTHER_URI = replace(METADATA, redirect_uris=("https://tpp.example/other",))
OTHER_KEYS = replace(METADATA, jwks=JsonWebKeySet((JsonWebKey(kty="RSA", kid="two"),)))


@pytest.mark.parametrize(
    ("approval", "standing"),
    [
        pytest.param(AT_ONCE, None, id="active at once"),
        pytest.param(MANUAL, ANEW, id="waiting for the bank"),
        pytest.param(
            LATER,
            Standing(
                *(State.PENDING, AWAITING_EFFECT, AT), effective_at=AT + timedelta(days=1, hours=1)
            ),
            id="waiting for the next working day",
        ),
        pytest.param(BOTH, ANEW, id="waiting for the bank first"),
    ],
)
def test_a_client_is_registered(approval, standing):
    assert approval.of_registration(AT) == standing


def test_moments_are_kept_in_whole_seconds_as_the_register_keeps_them():
    at = AT + timedelta(microseconds=123_456)
    assert MANUAL.of_registration(at) == ANEW
    assert LATER.of_registration(at) == LATER.of_registration(AT)


@pytest.mark.parametrize(
    ("approval", "before", "metadata", "after", "event"),
    [
        pytest.param(AT_ONCE, None, OTHER_URI, None, None, id="active, active"),
        pytest.param(LATER, None, OTHER_URI, None, None, id="active, updates work at once"),
        pytest.param(MANUAL, None, METADATA, None, None, id="manual: nothing has changed"),
        pytest.param(MANUAL, None, OTHER_KEYS, None, None, id="manual: a renewal needs nobody"),
        pytest.param(
            *(MANUAL, None, OTHER_URI, ANEW, EventType.CLIENT_PENDING), id="manual: approved anew"
        ),
        pytest.param(AT_ONCE, DUE, OTHER_URI, DUE, None, id="due, told by housekeeping"),
        pytest.param(
            *(MANUAL, DUE, OTHER_URI, ANEW, EventType.CLIENT_PENDING), id="due, approved anew"
        ),
        pytest.param(LATER, TOMORROW, OTHER_URI, TOMORROW, None, id="its time stays"),
        pytest.param(
            *(BOTH, TOMORROW, OTHER_URI, ANEW, EventType.CLIENT_PENDING),
            id="what was approved has changed before its time",
        ),
        pytest.param(MANUAL, WAITING, OTHER_KEYS, WAITING, None, id="pending stays as it is"),
        pytest.param(MANUAL, WAITING, OTHER_URI, ANEW, None, id="pending, anew"),
        pytest.param(
            *(MANUAL, HALF, OTHER_URI, ANEW, EventType.CLIENT_PENDING),
            id="the first approval was of something else",
        ),
        pytest.param(MANUAL, HALF, OTHER_KEYS, HALF, None, id="the first approval stands"),
        pytest.param(
            *(AT_ONCE, HALF, OTHER_URI, ANEW, EventType.CLIENT_PENDING),
            id="pending since before the setting was changed",
        ),
        pytest.param(
            *(AT_ONCE, BY_RULE, OTHER_KEYS, None, EventType.CLIENT_RESUMED),
            id="a suspension by the re-check ends",
        ),
        pytest.param(
            *(MANUAL, BY_RULE, OTHER_KEYS, None, EventType.CLIENT_RESUMED),
            id="manual: it ends by a renewal",
        ),
        pytest.param(
            *(MANUAL, BY_RULE, OTHER_URI, ANEW, EventType.CLIENT_PENDING),
            id="manual: it ends, and other changes are approved",
        ),
        pytest.param(AT_ONCE, BY_BANK, OTHER_URI, BY_BANK, None, id="the bank's suspension stays"),
        pytest.param(MANUAL, BY_BANK, OTHER_KEYS, BY_BANK, None, id="manual: it stays as it is"),
        pytest.param(
            *(MANUAL, BY_BANK, OTHER_URI, CHANGED_WHILE_SUSPENDED, None),
            id="manual: it stays, and the change is remembered",
        ),
        pytest.param(
            *(MANUAL, CHANGED_WHILE_SUSPENDED, METADATA, CHANGED_WHILE_SUSPENDED, None),
            id="manual: the change stays remembered",
        ),
    ],
)
def test_a_client_is_updated(approval, before, metadata, after, event):
    assert approval.of_update(client(before), metadata, AT) == after
    assert transition_of(before, after) == event


def test_contacts_are_the_tpps_own_business():
    metadata = replace(METADATA, contact=Contact(email="new@tpp.example"))
    assert MANUAL.of_update(client(), metadata, AT) is None


def test_keys_that_no_qualified_certificate_vouches_for_are_approved():
    own = replace(METADATA, token_endpoint_auth_method="private_key_jwt")
    other = replace(own, jwks=OTHER_KEYS.jwks)
    assert MANUAL.of_update(client(metadata=own), other, AT) == ANEW


@pytest.mark.parametrize("approval", [AT_ONCE, MANUAL, LATER])
def test_a_rejected_client_is_not_updated(approval):
    with pytest.raises(EntitlementError, match="client_rejected"):
        approval.of_update(client(REJECTED), METADATA, AT)


async def test_clients_whose_time_has_come_are_told_once():
    others = [client(TOMORROW, name="client-t"), client(BY_BANK, name="client-s")]
    due = [client(DUE, name=f"client-{number}") for number in range(MOST + 3)]
    register = Register(*due, *others, client(name="client-a"))
    assert await activate_due(register, at=AT) == MOST + 3
    assert await activate_due(register, at=AT) == 0
    assert {event.type for event in register.events} == {EventType.CLIENT_ACTIVATED}
    assert len({event.client_id for event in register.events}) == len(register.events) == MOST + 3
    assert [each for each in register.clients.values() if each.standing] == others
