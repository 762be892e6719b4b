"""The standing of a client changes, and it stays what it was registered as."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from alembic import command
from msgspec.structs import replace

from adapters.test_migration import run
from adapters.values import AT, access_token, creation, record, removal, replacement, token_event
from enrol.adapters.migration import migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.errors import UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.ports import StateChange
from enrol.registration.states import AWAITING_APPROVAL, AWAITING_EFFECT, Standing, State

REVOKED = Standing(State.SUSPENDED, "cert_revoked", AT)
PENDING = Standing(State.PENDING, AWAITING_APPROVAL, AT)
HALF_APPROVED = replace(PENDING, code="awaiting_second_approval", approved_by="ann")
GONE = Standing(State.DELETED, "deleted_by_bank", AT, "No longer a TPP", "ann")
WHOLE = Standing(
    *(State.SUSPENDED, "suspended_by_bank", AT, "Fraud \u00e0 la carte", "ann by root"),
    effective_at=AT + timedelta(hours=3),
    approved_by="bob",
    unapproved=True,
)
ONE = ClientId("client-1")


def suspension(number: int = 1, version: int = 1) -> StateChange:
    client = record(number)
    event = AuditEvent(AT, EventType.CLIENT_SUSPENDED, client_id=client.client_id, code="x")
    return StateChange(client.client_id, version, None, REVOKED, event)


def resumption(number: int = 1, version: int = 1) -> StateChange:
    event = AuditEvent(AT, EventType.CLIENT_RESUMED, client_id=ClientId(f"client-{number}"))
    return StateChange(ClientId(f"client-{number}"), version, REVOKED, None, event)


def step(
    before: Standing | None, after: Standing | None, kind: EventType = EventType.CLIENT_PENDING
) -> StateChange:
    return StateChange(ONE, 1, before, after, AuditEvent(AT, kind, client_id=ONE))


@pytest.fixture
async def registered(store):
    change = creation(1)
    await store.clients.commit(change)
    return change.write.record


async def types(query):
    return [kind for (kind,) in query("SELECT type FROM audit_events ORDER BY id")]


async def test_a_suspended_client_says_why_and_keeps_all_else(store, registered, query):
    await store.clients.set_state(suspension())
    assert await store.clients.find(ONE) == replace(registered, standing=REVOKED)
    assert await store.clients.find_version(ONE, 1) == replace(registered, standing=REVOKED)
    assert await types(query) == ["client.registered", "client.suspended"]


async def test_a_resumed_client_is_as_before(store, registered, query):
    await store.clients.set_state(suspension())
    await store.clients.set_state(resumption())
    assert await store.clients.find(ONE) == registered
    assert (await types(query))[1:] == ["client.suspended", "client.resumed"]


async def test_what_stands_already_is_not_written_again(store, registered, query):
    for change in (resumption(), suspension(), suspension()):
        await store.clients.set_state(change)
    assert await types(query) == ["client.registered", "client.suspended"]


@pytest.mark.parametrize("change", [suspension(version=2), suspension(2), resumption(2)])
async def test_a_client_that_changed_meanwhile_is_left_alone(store, registered, query, change):
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await store.clients.set_state(change)
    assert await types(query) == ["client.registered"]


async def test_an_update_ends_a_suspension_and_both_are_written_down(store, registered, query):
    await store.clients.set_state(suspension())
    update = replacement(registered, request_number=2)
    update = replace(update, write=replace(update.write, replaced=REVOKED))
    await store.clients.commit(replace(update, transition=resumption().event))
    assert (await store.clients.find(ONE)).standing is None
    assert (await types(query))[2:] == ["client.updated", "client.resumed"]


async def test_a_suspended_client_can_be_deleted(store, registered, query):
    await store.clients.set_state(suspension())
    await store.clients.commit(removal(registered, request_number=2))
    assert await store.clients.find(ONE) is None
    assert query("SELECT count(*) FROM client_standings") == [(0,)]


async def test_pages_hold_every_client_once_with_all_its_keys(store):
    made = {}
    for number in range(1, 8):
        change = creation(number)
        await store.clients.commit(change)
        made[change.write.record.client_id] = change.write.record
    await store.clients.set_state(suspension(3))
    found, after = [], ClientId("")
    while page := await store.clients.page(after, 3):
        assert len(page) <= 3
        found.extend(page)
        after = page[-1].client_id
    made["client-3"] = replace(made["client-3"], standing=REVOKED)
    assert found == [made[name] for name in sorted(made)]


@pytest.mark.parametrize("standing", [WHOLE, PENDING, HALF_APPROVED, REVOKED])
async def test_a_standing_is_found_as_it_was_written(store, registered, standing):
    await store.clients.set_state(step(None, standing))
    assert (await store.clients.find(ONE)).standing == standing


async def test_a_client_is_registered_with_its_standing(store):
    change = creation(1)
    record = replace(change.write.record, standing=PENDING)
    await store.clients.commit(replace(change, write=replace(change.write, record=record)))
    assert await store.clients.find(ONE) == record
    assert await store.clients.find_version(ONE, 1) == record


async def test_an_update_keeps_the_standing_it_was_told(store, registered):
    await store.clients.set_state(step(None, WHOLE))
    update = replacement(registered, request_number=2)
    record = replace(update.write.record, standing=WHOLE)
    write = replace(update.write, record=record, replaced=WHOLE)
    await store.clients.commit(replace(update, write=write))
    assert await store.clients.find(ONE) == record


async def test_an_update_that_began_before_a_suspension_does_not_end_it(store, registered, query):
    await store.clients.set_state(step(None, WHOLE))
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await store.clients.commit(replacement(registered, request_number=2))
    assert (await store.clients.find(ONE)).standing == WHOLE


async def test_of_two_first_approvals_at_once_one_stands(store, query):
    change = creation(1)
    record = replace(change.write.record, standing=PENDING)
    await store.clients.commit(replace(change, write=replace(change.write, record=record)))
    other = replace(HALF_APPROVED, approved_by="bob")
    outcomes = await asyncio.gather(
        *(store.clients.set_state(step(PENDING, each)) for each in (HALF_APPROVED, other)),
        return_exceptions=True,
    )
    assert [type(each) for each in outcomes] == [type(None), UnavailableError]
    assert (await store.clients.find(ONE)).standing == HALF_APPROVED
    assert await types(query) == ["client.registered", "client.pending"]


async def test_a_step_from_another_standing_than_the_present_is_refused(store, registered):
    await store.clients.set_state(step(None, WHOLE))
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await store.clients.set_state(step(PENDING, None))
    assert (await store.clients.find(ONE)).standing == WHOLE


async def test_a_client_the_bank_deletes_is_history_and_its_tokens_are_gone(
    store, registered, query
):
    issued = access_token(1, client_id=ONE)
    await store.tokens.add(issued, token_event(issued))
    assert await store.tokens.find(issued.token_hash) == issued
    await store.clients.set_state(step(None, GONE, EventType.CLIENT_DELETED))
    assert await store.clients.find(ONE) is None
    assert await store.clients.find_version(ONE, 1) == registered
    assert await store.tokens.find(issued.token_hash) is None
    assert (await types(query))[-1] == "client.deleted"


async def test_clients_whose_time_has_come_are_found_oldest_first(store):
    for number, minutes in ((1, 20), (2, 10), (3, 30)):
        change = creation(number)
        effective_at = AT + timedelta(minutes=minutes)
        standing = Standing(State.PENDING, AWAITING_EFFECT, AT, effective_at=effective_at)
        record = replace(change.write.record, standing=standing)
        await store.clients.commit(replace(change, write=replace(change.write, record=record)))
    due = await store.clients.find_due(AT + timedelta(minutes=20), 10)
    assert [record.client_id for record in due] == ["client-2", "client-1"]
    assert await store.clients.find_due(AT + timedelta(minutes=20), 1) == due[:1]
    assert await store.clients.find_due(AT, 10) == ()


async def test_who_was_suspended_by_the_second_last_schema_still_is(store, path, registered):
    await store.aclose()
    run(path, command.downgrade, "0004")
    with closing(sqlite3.connect(path)) as connection, connection:
        milliseconds = int(AT.timestamp() * 1000)
        row = (ONE, "cert_revoked", milliseconds)
        connection.execute("INSERT INTO client_suspensions VALUES (?, ?, ?)", row)
    migrate(path)
    again = open_sqlite(path)
    assert await again.clients.find(ONE) == replace(registered, standing=REVOKED)
    await again.aclose()


@pytest.mark.parametrize("standing", [WHOLE, PENDING, REVOKED])
async def test_nobody_becomes_active_by_going_back(store, path, registered, standing):
    await store.clients.set_state(step(None, standing))
    await store.aclose()
    run(path, command.downgrade, "0004")
    with closing(sqlite3.connect(path)) as connection:
        suspended = connection.execute("SELECT client_id, code FROM client_suspensions").fetchall()
    assert suspended == [(ONE, standing.code)]
