"""Two servers share a register in PostgreSQL as if it were one's alone."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from adapters.registers import open_here, reviewed, until
from adapters.values import (
    access_token,
    creation,
    record,
    refusal,
    removal,
    replacement,
    token_event,
)
from cluster import SERVER, Database
from enrol.adapters.location import PostgresUrl
from enrol.adapters.store import RegisterStore
from enrol.errors import EntitlementError, UnavailableError
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId
from enrol.registration.kept import blob

pytestmark = pytest.mark.usefixtures("database")

ONE = ClientId("client-1")


@pytest.fixture
async def other(database: Database) -> AsyncIterator[RegisterStore]:
    """Another server with the same register."""
    opened = await open_here(PostgresUrl(database.server_url))
    yield opened
    await opened.aclose()


async def test_a_quota_is_kept_by_both(store, other, database):
    changes = [
        each.clients.commit(creation(number, quota=5))
        for number in range(1, 41)
        for each in [store if number % 2 else other]
    ]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert sum(isinstance(each, EntitlementError) for each in outcomes) == 35
    assert database.rows("SELECT count(*) FROM clients") == [(5,)]


async def test_servers_see_what_the_other_wrote_whatever_isolation_is_usual(database, cluster):
    usual = "default_transaction_isolation"
    with cluster.altered(f"ROLE {SERVER}", f"SET {usual} = 'repeatable read'", f"RESET {usual}"):
        both = [await open_here(PostgresUrl(database.server_url)) for _ in range(2)]
    outcomes = []
    for number in range(10):
        changes = [creation(2 * number + place, quota=5) for place in range(2)]
        at_once = [each.clients.commit(one) for each, one in zip(both, changes, strict=True)]
        outcomes += await asyncio.gather(*at_once, return_exceptions=True)
    for each in both:
        await each.aclose()
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [type(each) for each in refused] == [EntitlementError] * 15
    assert database.rows("SELECT count(*) FROM clients") == [(5,)]


async def test_the_same_request_to_both_makes_one_client(store, other, database):
    same = [each.clients.commit(creation(1)) for each in (store, other) for _ in range(10)]
    entries = await asyncio.gather(*same)
    assert {entry.client_id for entry in entries} == {"client-1"}
    assert database.rows("SELECT count(*) FROM clients") == [(1,)]


async def test_of_two_updates_of_one_version_one_is_refused(store, other):
    await store.clients.commit(creation(1))
    changes = [
        each.clients.commit(replacement(record(1), request_number=number))
        for number, each in ((10, store), (11, other))
    ]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    assert sorted(isinstance(each, UnavailableError) for each in outcomes) == [False, True]


async def test_the_trail_of_both_is_one_chain(store, other, database):
    for number in range(1, 21):
        each = store if number % 2 else other
        each.audit.note(refusal(number))
        await each.clients.commit(creation(number))
    found = await reviewed(database)
    assert (found.wrong, found.events) == (0, 40)


async def test_fifty_at_once_are_one_chain_without_a_gap(store, other, database):
    both = (store, other)
    await asyncio.gather(
        *(both[number % 2].clients.commit(creation(number)) for number in range(50))
    )
    assert (await reviewed(database)).wrong == 0
    assert database.rows("SELECT count(*), min(id), max(id) FROM audit_events") == [(50, 1, 50)]


async def test_what_both_keep_of_evidence_stands_once(store, other, database):
    kept = blob(b"certificate")
    for number, each in ((1, store), (2, other), (3, store)):
        change = creation(number)
        await each.clients.commit(replace(change, event=replace(change.event, blobs=(kept,))))
    assert database.rows("SELECT sha256, content FROM evidence_blobs") == [
        (kept.sha256, kept.content)
    ]


async def test_a_token_that_one_ended_the_other_soon_forgets(store, other, monkeypatch):
    token = access_token(1)
    await store.tokens.add(token, token_event(token))
    assert await other.tokens.find(token.token_hash) == token
    await store.tokens.revoke(token, token_event(token))
    assert await store.tokens.find(token.token_hash) is None
    await until(lambda: unknown(other, token))


async def test_a_client_that_one_removed_is_gone_for_the_other_at_once(store, other):
    await store.clients.commit(creation(1))
    assert await other.clients.find(ONE) is not None
    await store.clients.commit(removal(record(1), request_number=9))
    assert await other.clients.find(ONE) is None


async def test_the_duty_is_of_one_and_passes_on_when_it_goes(store, database):
    first = await open_here(PostgresUrl(database.server_url))
    assert await first.duty.is_mine()
    assert not await store.duty.is_mine()
    await first.aclose()
    await until(store.duty.is_mine)


async def test_the_duty_is_lost_with_the_connection(store, other, cluster):
    assert await store.duty.is_mine()
    assert not await other.duty.is_mine()
    cluster.sql(
        "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
        "WHERE l.locktype = 'advisory' AND a.application_name = 'enrol duty'"
    )
    await until(other.duty.is_mine)
    assert not await store.duty.is_mine()


async def unknown(store: RegisterStore, token: AccessToken) -> bool:
    return await store.tokens.find(token.token_hash) is None
