"""What every `TokenStore` and `AuditTrail` must do."""

import asyncio
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from adapters.registers import open_here
from adapters.values import (
    AT,
    access_token,
    creation,
    record,
    refusal,
    removal,
    token_event,
)
from enrol.adapters.store import StoreSettings
from enrol.errors import GrantError, UnavailableError
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.ports import AssertionUse


async def add(store, token):
    await store.tokens.add(token, token_event(token))
    return token


def assertion(number) -> AssertionUse:
    return AssertionUse(number.to_bytes(32, "big"), AT + timedelta(minutes=5))


def revocation_event(token) -> AuditEvent:
    return structs.replace(token_event(token), type=EventType.TOKEN_REVOKED)


async def test_token_is_found_by_its_hash_with_its_event_beside_it(store, query):
    token = await add(store, access_token(1))
    assert await store.tokens.find(token.token_hash) == token
    assert await store.tokens.find(token.token_hash) == token
    assert query("SELECT type, client_id FROM audit_events") == [
        ("token.issued", "PSD2_TPPRegister")
    ]


async def test_token_without_scope_comes_back_without_scope(store):
    token = await add(store, replace(access_token(1), scope=frozenset()))
    assert await store.tokens.find(token.token_hash) == token


async def test_unknown_token_is_not_found(store):
    assert await store.tokens.find(bytes(32)) is None


async def test_removal_of_a_client_ends_its_tokens_and_no_others(store, query):
    own = await add(store, access_token(1, client_id="client-1"))
    generic = await add(store, access_token(2))
    await store.clients.commit(creation(1))
    for token in (own, generic):
        assert await store.tokens.find(token.token_hash) == token
    await store.clients.commit(removal(record(1), request_number=2))
    assert await store.tokens.find(own.token_hash) is None
    assert await store.tokens.find(generic.token_hash) == generic
    assert query("SELECT count(*) FROM access_tokens") == [(1,)]


async def test_no_token_is_issued_to_a_client_removed_meanwhile(store, query):
    await store.clients.commit(creation(1))
    await store.clients.commit(removal(record(1), request_number=2))
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await add(store, access_token(1, client_id="client-1"))
    assert query("SELECT count(*) FROM access_tokens") == [(0,)]


async def test_purge_ends_the_tokens_that_expired_before(store):
    tokens = [await add(store, access_token(number)) for number in (1, 2, 3)]
    await store.purge_tokens(AT + timedelta(hours=1, milliseconds=3))
    assert [await store.tokens.find(token.token_hash) for token in tokens] == [
        None,
        None,
        tokens[2],
    ]


async def test_noted_refusals_are_written_before_the_register_closes(register, query):
    store = await open_here(register)
    for number in range(3):
        store.audit.note(refusal(number))
    await store.aclose()
    assert query("SELECT type, code, request_id FROM audit_events ORDER BY id") == [
        ("request.refused", "KEY-2", f"request-{number}") for number in range(3)
    ]


async def test_refusals_beyond_the_bound_are_dropped_and_counted(register, query):
    store = await open_here(register, StoreSettings(most_notes=10))
    for number in range(25):
        store.audit.note(refusal(number))
    assert store.audit.dropped == 15
    await store.aclose()
    store.audit.note(refusal(99))
    assert store.audit.dropped == 16
    assert query("SELECT count(*) FROM audit_events") == [(10,)]


async def test_a_revoked_token_is_gone_from_disk_and_memory(store, query):
    token = access_token(1)
    await store.tokens.add(token, token_event(token))
    assert await store.tokens.find(token.token_hash) == token
    await store.tokens.revoke(token, revocation_event(token))
    assert await store.tokens.find(token.token_hash) is None
    assert query("SELECT count(*) FROM access_tokens") == [(0,)]


async def test_a_token_is_revoked_once(store, query):
    token = access_token(1)
    await store.tokens.add(token, token_event(token))
    event = revocation_event(token)
    await asyncio.gather(*(store.tokens.revoke(token, event) for _ in range(3)))
    await store.tokens.revoke(token, event)
    assert query("SELECT type FROM audit_events") == [("token.issued",), ("token.revoked",)]


async def test_an_assertion_obtains_one_token(store, query):
    for number, use in enumerate((assertion(1), assertion(2))):
        token = access_token(number)
        await store.tokens.add(token, token_event(token), use)
    with pytest.raises(GrantError, match="assertion_used"):
        await store.tokens.add(access_token(3), token_event(access_token(3)), assertion(1))
    assert query("SELECT count(*) FROM access_tokens") == [(2,)]
    assert query("SELECT count(*) FROM audit_events") == [(2,)]


async def test_of_those_who_use_an_assertion_at_once_one_has_a_token(store, query):
    tokens = [access_token(number) for number in range(5)]
    outcomes = await asyncio.gather(
        *(store.tokens.add(token, token_event(token), assertion(1)) for token in tokens),
        return_exceptions=True,
    )
    assert [outcome for outcome in outcomes if not isinstance(outcome, GrantError)] == [None]
    assert query("SELECT count(*) FROM access_tokens") == [(1,)]


async def test_a_refused_token_leaves_its_assertion_unused(store, query):
    await store.clients.commit(creation(1))
    await store.clients.commit(removal(record(1), request_number=2))
    gone = access_token(1, client_id="client-1")
    with pytest.raises(UnavailableError, match="concurrent_change"):
        await store.tokens.add(gone, token_event(gone), assertion(1))
    assert query("SELECT count(*) FROM used_assertions") == [(0,)]


async def test_used_assertions_are_known_after_a_new_start(register):
    for outcome in (nullcontext(), pytest.raises(GrantError, match="assertion_used")):
        store = await open_here(register)
        token = access_token(1)
        with outcome:
            await store.tokens.add(token, token_event(token), assertion(1))
        await store.aclose()


async def test_used_assertions_are_forgotten_an_hour_after_they_expired(store, query):
    token = access_token(1)
    await store.tokens.add(token, token_event(token), assertion(1))
    for minutes, left in ((59, 1), (61, 0)):
        await store.purge_tokens(assertion(1).expires_at + timedelta(minutes=minutes))
        assert query("SELECT count(*) FROM used_assertions") == [(left,)]


async def test_other_tokens_outlive_a_revocation(store):
    one, other = access_token(1), access_token(2)
    for token in (one, other):
        await store.tokens.add(token, token_event(token))
        await store.tokens.find(token.token_hash)
    await store.tokens.revoke(one, revocation_event(one))
    assert await store.tokens.find(other.token_hash) == other
