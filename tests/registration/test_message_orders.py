"""What operators do to messages that wait, and what is written down of it."""

import json
from datetime import UTC, datetime

import pytest

from enrol.eidas.organization import OrganizationIdentifier
from enrol.errors import OrderError
from enrol.oauth.types import ClientId
from enrol.registration.audit import EventType
from enrol.registration.message_orders import (
    MessageAction,
    MessageDesk,
    MessageOrder,
    WaitingMessage,
)

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
ACME = OrganizationIdentifier("PSDFR-ACPR-12345")
FIRST = WaitingMessage(7, ClientId("client-1"), ACME, stands_first=True)
BEHIND = WaitingMessage(8, ClientId("client-1"), ACME, stands_first=False)
RETRY, DROP = MessageAction.RETRY, MessageAction.DROP


class Messages:
    def __init__(self) -> None:
        self.retried, self.dropped = [], []

    async def find(self, number):
        return {7: FIRST, 8: BEHIND}.get(number)

    async def retry(self, number, at):
        self.retried.append((number, at))

    async def drop(self, number, event):
        self.dropped.append((number, event))


@pytest.fixture
def messages() -> Messages:
    return Messages()


@pytest.fixture
def carry_out(messages):
    desk = MessageDesk(messages, lambda: AT)
    return lambda *order: desk.carry_out(MessageOrder(*order), actor="jane by enrol")


async def test_what_stands_first_is_sent_again(carry_out, messages):
    await carry_out(RETRY, 7)
    await carry_out(RETRY)
    assert messages.retried == [(7, AT), (None, AT)]


async def test_what_is_dropped_is_written_down_with_who_and_why(carry_out, messages):
    await carry_out(DROP, 8, "provisioned by hand")
    ((number, event),) = messages.dropped
    assert (number, event.type, event.at) == (8, EventType.MESSAGE_DROPPED, AT)
    assert (event.client_id, event.organization_identifier) == ("client-1", ACME)
    assert json.loads(event.evidence) == {
        "event": 8,
        "actor": "jane by enrol",
        "reason": "provisioned by hand",
    }


@pytest.mark.parametrize(
    ("order", "code"),
    [
        pytest.param((RETRY, 9), "message_unknown", id="one that was told"),
        pytest.param((RETRY, 8), "message_waits", id="one behind another"),
        pytest.param((DROP, 9, "x"), "message_unknown", id="none to drop"),
        pytest.param((DROP, None, "x"), "message_unknown", id="all of them"),
        pytest.param((DROP, 7), "reason_missing", id="without a reason"),
        pytest.param((DROP, 7, "a\nb"), "reason_not_plain", id="a reason of two lines"),
        pytest.param((DROP, 7, "\u202ex"), "reason_not_plain", id="a reason that hides"),
        pytest.param((DROP, 7, "x" * 1000), "reason_not_plain", id="a long reason"),
    ],
)
async def test_an_order_that_cannot_be_carried_out_changes_nothing(
    carry_out, messages, order, code
):
    with pytest.raises(OrderError) as refusal:
        await carry_out(*order)
    assert refusal.value.code == code
    assert (messages.retried, messages.dropped) == ([], [])
