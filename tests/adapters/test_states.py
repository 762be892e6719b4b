"""A client is suspended and resumed, and stays what it was registered as."""

import pytest
from msgspec.structs import replace

from adapters.values import AT, creation, record, removal, replacement
from enrol.errors import UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.ports import StateChange
from enrol.registration.record import Suspension

REVOKED = Suspension("cert_revoked", AT)
ONE = ClientId("client-1")


def suspension(number: int = 1, version: int = 1) -> StateChange:
    client = record(number)
    event = AuditEvent(AT, EventType.CLIENT_SUSPENDED, client_id=client.client_id, code="x")
    return StateChange(client.client_id, version, REVOKED, event)


def resumption(number: int = 1, version: int = 1) -> StateChange:
    event = AuditEvent(AT, EventType.CLIENT_RESUMED, client_id=ClientId(f"client-{number}"))
    return StateChange(ClientId(f"client-{number}"), version, None, event)


@pytest.fixture
async def registered(store):
    change = creation(1)
    await store.clients.commit(change)
    return change.write.record


async def types(query):
    return [kind for (kind,) in query("SELECT type FROM audit_events ORDER BY id")]


async def test_a_suspended_client_says_why_and_keeps_all_else(store, registered, query):
    await store.clients.set_state(suspension())
    assert await store.clients.find(ONE) == replace(registered, suspension=REVOKED)
    assert await store.clients.find_version(ONE, 1) == replace(registered, suspension=REVOKED)
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
    await store.clients.commit(replace(update, resumed=resumption().event))
    assert (await store.clients.find(ONE)).suspension is None
    assert (await types(query))[2:] == ["client.updated", "client.resumed"]


async def test_a_suspended_client_can_be_deleted(store, registered, query):
    await store.clients.set_state(suspension())
    await store.clients.commit(removal(registered, request_number=2))
    assert await store.clients.find(ONE) is None
    assert query("SELECT count(*) FROM client_suspensions") == [(0,)]


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
    made["client-3"] = replace(made["client-3"], suspension=REVOKED)
    assert found == [made[name] for name in sorted(made)]
