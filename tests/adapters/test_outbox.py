"""What is told of clients is written with the change it tells of, and leaves in order."""

from collections.abc import AsyncIterator
from datetime import timedelta

import msgspec
import pytest

from adapters.registers import open_here
from adapters.values import AT, access_token, creation, record, removal, replacement, token_event
from enrol.adapters.outbox import Delivered, Postponed, Settlement
from enrol.adapters.store import RegisterStore, StoreSettings
from enrol.errors import UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.client_events import CLIENT_EVENTS, ClientEvent
from enrol.registration.ports import StateChange
from enrol.registration.states import Standing, State

LATER = AT + timedelta(minutes=5)
DROPPED = AuditEvent(AT, EventType.MESSAGE_DROPPED, client_id=ClientId("client-1"))
SUSPENDED = Standing(State.SUSPENDED, "cert_revoked", AT)


@pytest.fixture
async def store(register) -> AsyncIterator[RegisterStore]:
    """A register that tells of every event of a client."""
    opened = await open_here(register, StoreSettings(told=frozenset(CLIENT_EVENTS)))
    yield opened
    await opened.aclose()


def suspension(number: int, version: int = 1) -> StateChange:
    client = record(number)
    event = AuditEvent(
        AT,
        EventType.CLIENT_SUSPENDED,
        client.organization_identifier,
        client.client_id,
        code="cert_revoked",
    )
    return StateChange(client.client_id, version, None, SUSPENDED, event)


def read(payload: bytes) -> ClientEvent:
    return msgspec.json.decode(payload, type=ClientEvent)


async def due(store, at=AT, limit=100):
    return [(message.client_id, message.type) for message in await store.outbox.due(at, limit)]


async def settle(store, *outcomes, at=AT):
    await store.outbox.settle(Settlement(outcomes, at))


async def test_a_registration_is_told_whole(store):
    change = creation(1)
    await store.clients.commit(change)
    (message,) = await store.outbox.due(AT, 10)
    event, client = read(message.payload), change.write.record
    assert (event.type, event.timestamp) == ("client.registered", AT)
    assert event.data.client_id == client.client_id
    assert event.data.organization_identifier == client.organization_identifier
    assert (event.data.version, event.data.state) == (1, State.ACTIVE)
    assert event.data.sequence == message.id
    assert event.data.metadata == client.metadata
    assert event.data.request_id == "request-1"


async def test_a_suspension_is_told_with_its_rule_and_all_of_the_client(store):
    await store.clients.commit(creation(1))
    await settle(store, *map(Delivered, await store.outbox.due(AT, 10)))
    await store.clients.set_state(suspension(1))
    (message,) = await store.outbox.due(AT, 10)
    data = read(message.payload).data
    assert (message.type, data.state, data.code) == (
        "client.suspended",
        "suspended",
        "cert_revoked",
    )
    assert data.metadata == record(1).metadata


async def test_a_deletion_is_told_without_what_is_gone(store):
    await store.clients.commit(creation(1))
    await store.clients.commit(replacement(record(1), request_number=2))
    changed = msgspec.structs.replace(record(1), version=2)
    await settle(store, *map(Delivered, await store.outbox.due(AT, 10)))
    await settle(store, *map(Delivered, await store.outbox.due(AT, 10)))
    await store.clients.commit(removal(changed, request_number=3))
    (message,) = await store.outbox.due(AT, 10)
    data = read(message.payload).data
    assert (message.type, data.state, data.version) == ("client.deleted", "deleted", 2)
    assert data.metadata is None


async def test_nothing_is_told_of_what_did_not_happen(store, query):
    await store.clients.commit(creation(1))
    await store.clients.commit(creation(1))
    with pytest.raises(UnavailableError):
        await store.clients.commit(removal(record(2), request_number=9))
    assert query("SELECT count(*) FROM outbox") == [(1,)]


async def test_a_register_that_tells_nobody_keeps_nothing(register, query):
    quiet = await open_here(register)
    await quiet.clients.commit(creation(1))
    await quiet.aclose()
    assert query("SELECT count(*) FROM outbox") == [(0,)]


async def test_only_the_types_wanted_are_told(register, query):
    picky = await open_here(register, StoreSettings(told=frozenset({EventType.CLIENT_DELETED})))
    await picky.clients.commit(creation(1))
    await picky.clients.commit(removal(record(1), request_number=2))
    await picky.aclose()
    assert query("SELECT type FROM outbox") == [("client.deleted",)]


async def test_tokens_are_not_told(store, query):
    token = access_token(1)
    await store.tokens.add(token, token_event(token))
    assert query("SELECT count(*) FROM outbox") == [(0,)]


async def test_of_each_client_one_message_is_due(store):
    for number in (1, 2):
        await store.clients.commit(creation(number))
        await store.clients.set_state(suspension(number))
    assert await due(store) == [
        ("client-1", "client.registered"),
        ("client-2", "client.registered"),
    ]
    first, _ = await store.outbox.due(AT, 10)
    await settle(store, Delivered(first), at=LATER)
    assert await due(store, LATER) == [
        ("client-2", "client.registered"),
        ("client-1", "client.suspended"),
    ]


async def test_what_failed_waits_for_its_time_and_holds_up_what_follows(store):
    await store.clients.commit(creation(1))
    await store.clients.set_state(suspension(1))
    (message,) = await store.outbox.due(AT, 10)
    await settle(store, Postponed(message, "status 500", LATER))
    assert (await due(store), await store.outbox.next_time()) == ([], LATER)
    (again,) = await store.outbox.due(LATER, 10)
    assert (again.id, again.attempts, again.failing_since) == (message.id, 1, AT)
    assert (again.message_id, again.payload) == (message.message_id, message.payload)


async def test_what_is_given_up_holds_up_its_client_alone(store, query):
    for number in (1, 2):
        await store.clients.commit(creation(number))
    first, second = await store.outbox.due(AT, 10)
    await settle(store, Postponed(first, "status 500", None), Delivered(second))
    await store.clients.set_state(suspension(1))
    await store.clients.set_state(suspension(2))
    assert await due(store, LATER) == [("client-2", "client.suspended")]
    assert query("SELECT dead_at IS NOT NULL FROM outbox WHERE id = ?", first.id) == [(1,)]


async def test_an_operator_sends_again_what_was_given_up(store):
    await store.clients.commit(creation(1))
    (message,) = await store.outbox.due(AT, 10)
    await settle(store, Postponed(message, "status 500", None))
    await store.outbox.retry(message.id, LATER)
    (again,) = await store.outbox.due(LATER, 10)
    assert (again.message_id, again.attempts, again.failing_since) == (message.message_id, 0, None)
    assert store.outbox.news.take_urgency()


async def test_an_operator_sends_everything_again_in_order(store):
    for number in (1, 2):
        await store.clients.commit(creation(number))
        await store.clients.set_state(suspension(number))
    first, second = await store.outbox.due(AT, 10)
    await settle(store, Postponed(first, "x", None), Postponed(second, "x", LATER))
    await store.outbox.retry(None, AT)
    assert await due(store) == [
        ("client-1", "client.registered"),
        ("client-2", "client.registered"),
    ]


async def test_an_operator_cannot_send_what_waits_behind_another(store, query):
    await store.clients.commit(creation(1))
    await store.clients.set_state(suspension(1))
    await store.outbox.retry(2, AT)
    assert await due(store) == [("client-1", "client.registered")]


async def test_what_is_dropped_lets_the_next_one_go(store, query):
    await store.clients.commit(creation(1))
    await store.clients.set_state(suspension(1))
    (message,) = await store.outbox.due(AT, 10)
    await settle(store, Postponed(message, "status 500", None))
    await store.outbox.drop(message.id, DROPPED)
    assert await due(store) == [("client-1", "client.suspended")]
    await store.outbox.drop(message.id, DROPPED)
    assert await due(store) == [("client-1", "client.suspended")]
    assert query("SELECT type FROM audit_events WHERE id > 2") == [("message.dropped",)]


async def test_what_is_dropped_from_behind_changes_nothing_before_it(store):
    await store.clients.commit(creation(1))
    await store.clients.set_state(suspension(1))
    (message,) = await store.outbox.due(AT, 10)
    await settle(store, Postponed(message, "status 500", LATER))
    await store.outbox.drop(2, DROPPED)
    assert (await due(store), await store.outbox.next_time()) == ([], LATER)


async def test_an_id_is_never_given_twice(path, blank_register, query):
    """A backup restored, and another client in the place of one that was told of."""
    ids = set()
    for number in (1, 2):
        path.write_bytes(blank_register)
        store = await open_here(path, StoreSettings(told=frozenset(CLIENT_EVENTS)))
        await store.clients.commit(creation(number))
        (message,) = await store.outbox.due(AT, 10)
        assert message.id == 1
        ids.add(message.message_id)
        await store.aclose()
    assert len(ids) == 2
    assert all("." not in each for each in ids)


async def test_news_of_a_change_comes_before_its_acknowledgement(store):
    await store.clients.commit(creation(1))
    await store.outbox.news.wait(60)
    assert await due(store) == [(ClientId("client-1"), "client.registered")]
