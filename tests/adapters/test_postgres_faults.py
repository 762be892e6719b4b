"""What PostgreSQL does to a register: nothing acknowledged is lost, and it heals by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from adapters.registers import open_here
from adapters.trails import review
from adapters.values import (
    access_token,
    creation,
    key,
    record,
    refusal,
    removal,
    replacement,
    token_event,
)
from cluster import SERVER, Database
from enrol.adapters import store as store_module
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres import reader as reader_module
from enrol.adapters.postgres.connection import WRITER_LOCK, WaitingConnection
from enrol.adapters.store import RegisterStore
from enrol.errors import EntitlementError, UnavailableError
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId
from enrol.registration.kept import blob
from enrol.registration.ports import Change, Creation
from enrol.registration.review import Review
from line import Line

ONE = ClientId("client-1")
BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'enrol'"


@pytest.fixture
def database(migrated: Database) -> Database:
    migrated.empty()
    return migrated


@pytest.fixture
async def store(database: Database) -> AsyncIterator[RegisterStore]:
    opened = await open_here(PostgresUrl(database.server_url))
    yield opened
    await opened.aclose()


@pytest.fixture
async def other(database: Database) -> AsyncIterator[RegisterStore]:
    """Another server with the same register."""
    opened = await open_here(PostgresUrl(database.server_url))
    yield opened
    await opened.aclose()


async def test_connections_that_were_ended_are_made_anew(store, cluster, database):
    await store.clients.commit(creation(1))
    assert await store.clients.find(ONE) is not None
    cluster.sql(BACKENDS)
    assert await store.clients.find(ONE) is not None
    await store.clients.commit(creation(2))
    assert store.healthy()
    assert database.rows("SELECT count(*) FROM clients") == [(2,)]


async def test_a_connection_ended_within_a_transaction_fails_its_batch_alone(
    store, cluster, database, monkeypatch
):
    complete, once = store._writer._commit, iter([True])

    def commit():
        if next(once, False):
            cluster.sql(BACKENDS)
        complete()

    monkeypatch.setattr(store._writer, "_commit", commit)
    with pytest.raises(UnavailableError, match="storage_unavailable"):
        await store.clients.commit(creation(1))
    assert database.rows("SELECT count(*) FROM clients") == [(0,)]
    await store.clients.commit(creation(1))
    assert (await reviewed(database)).wrong == 0


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_a_server_that_is_away_is_unavailable_until_it_is_back(
    store, cluster, mode, monkeypatch
):
    await store.clients.commit(creation(1))
    await asyncio.to_thread(cluster.stop, mode)
    try:
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(2))
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.find(ONE)
        assert not store.healthy()
        assert not store.failed
    finally:
        await asyncio.to_thread(cluster.start)
    assert await store.clients.find(ONE) is not None
    await store.clients.commit(creation(2))
    await until(lambda: healthy_again(store, monkeypatch))


async def test_a_table_that_is_locked_costs_the_request_and_no_more(store, database):
    await impatient(store)
    with held(database, "LOCK TABLE clients"):
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(1))
    await store.clients.commit(creation(1))


async def test_a_writer_that_holds_the_turn_too_long_is_not_waited_for(store, database):
    await impatient(store)
    with held(database, f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"):
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(1))
    await store.clients.commit(creation(1))


def too_large() -> Change:
    change = creation(2)
    return replace(change, write=Creation(replace(record(2), version=2**31), None))


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(creation(2, key(2, kid="a\x00b")), id="text with NUL"),
        pytest.param(too_large(), id="number"),
        pytest.param(creation(2, key(2, kid="\ud800")), id="half a character"),
    ],
)
async def test_a_bad_row_fails_alone(store, database, bad):
    outcomes = await asyncio.gather(
        *(store.clients.commit(change) for change in (creation(1), bad, creation(3))),
        return_exceptions=True,
    )
    assert [isinstance(each, Exception) for each in outcomes] == [False, True, False]
    assert database.rows("SELECT client_id FROM clients ORDER BY 1") == [
        ("client-1",),
        ("client-3",),
    ]
    assert (await reviewed(database)).wrong == 0
    assert store.healthy()


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
async def test_nothing_is_found_under_what_no_text_can_be(store, name):
    assert await store.clients.find(ClientId(name)) is None
    assert store.healthy()


async def test_when_the_database_goes_the_rest_of_a_batch_is_not_tried(store, monkeypatch):
    """Else each of a batch would wait in its turn for a server that does not answer."""
    begin, begun = store._writer._begin, []

    def begin_twice():
        begun.append(True)
        if len(begun) > 2:
            raise ConnectionRefusedError
        begin()

    monkeypatch.setattr(store._writer, "_begin", begin_twice)
    bad = creation(1, key(1, kid="a\x00b"))
    changes = [bad, *map(creation, range(2, 22))]
    outcomes = await asyncio.gather(*map(store.clients.commit, changes), return_exceptions=True)
    assert {each.code for each in outcomes} == {"storage_unavailable"}
    assert len(begun) == 3


async def test_a_connection_lost_when_a_transaction_is_undone_is_no_end_of_writing(store, cluster):
    """PostgreSQL has undone it then."""
    writer = store._writer
    await asyncio.to_thread(writer._begin)
    cluster.sql(BACKENDS)
    await asyncio.to_thread(writer._roll_back)
    assert not store.failed
    await store.clients.commit(creation(1))


async def test_a_server_that_is_full_is_unavailable_until_there_is_room(store, cluster):
    with cluster.altered(f"ROLE {SERVER}", "CONNECTION LIMIT 0", "CONNECTION LIMIT -1"):
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.find(ONE)
    assert await store.clients.find(ONE) is None


async def test_a_server_that_does_not_write_any_more_is_left(store):
    await asyncio.to_thread(
        store._writer._connection.execute, "SET default_transaction_read_only = on"
    )
    with pytest.raises(UnavailableError, match="storage_unavailable"):
        await store.clients.commit(creation(1))
    await store.clients.commit(creation(1))


async def test_a_changed_schema_costs_no_reader_anything(store, database):
    await store.clients.commit(creation(1))
    for _ in range(reader_module.AT_ONCE):
        await store.clients.find(ONE)
    database.rows("ALTER TABLE clients ALTER COLUMN token_generation TYPE bigint")
    try:
        for _ in range(reader_module.AT_ONCE):
            assert await store.clients.find(ONE) is not None
    finally:
        database.rows("ALTER TABLE clients ALTER COLUMN token_generation TYPE integer")


async def test_many_readers_share_few_connections(store, cluster):
    await asyncio.gather(*(store.clients.find(ONE) for _ in range(200)))
    assert len(cluster.pids("enrol")) == reader_module.AT_ONCE + 1


async def test_those_who_wait_too_long_to_read_are_told_so(store, database, monkeypatch):
    with monkeypatch.context() as patch, held(database, "LOCK TABLE clients"):
        patch.setattr(reader_module, "_PATIENCE", 0.3)
        reads = [store.clients.find(ONE) for _ in range(50)]
        outcomes = await asyncio.gather(*reads, return_exceptions=True)
    assert {each.code for each in outcomes} == {"storage_unavailable"}
    assert await store.clients.find(ONE) is None


async def test_a_reader_that_leaves_leaves_no_answer_to_the_next(store, database):
    await store.clients.commit(creation(1))
    with held(database, "LOCK TABLE clients"):
        reads = [
            asyncio.ensure_future(store.clients.find(ONE)) for _ in range(reader_module.AT_ONCE)
        ]
        await until(lambda: waits_for_a_lock(database, reader_module.AT_ONCE))
        for each in reads:
            each.cancel()
        token = access_token(1)
        assert await store.tokens.find(token.token_hash) is None
    assert (await store.clients.find(ONE)).client_id == ONE


async def test_the_lost_answer_of_a_commit_is_found_by_the_same_request(database, monkeypatch):
    with Line(database.server_url) as line:
        store = await open_here(PostgresUrl(line.url))
        await store.clients.commit(creation(1))
        complete = store._writer._commit

        def commit():
            line.cut()
            complete()

        monkeypatch.setattr(store._writer, "_commit", commit)
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(2))
        monkeypatch.undo()
        assert database.rows("SELECT count(*) FROM clients") == [(2,)]
        assert (await store.clients.commit(creation(2))).client_id == "client-2"
        await store.aclose()
    assert database.rows("SELECT count(*) FROM clients") == [(2,)]
    assert database.rows("SELECT count(*) FROM audit_events") == [(2,)]


# Two servers


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


# Surroundings


async def reviewed(database: Database) -> Review:
    return await asyncio.to_thread(review, PostgresUrl(database.server_url))


async def healthy_again(store: RegisterStore, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(store_module, "_RECOVERY", 0.0)
    return store.healthy()


async def waits_for_a_lock(database: Database, number: int) -> bool:
    count = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    return await asyncio.to_thread(database.rows, count) == [(number,)]


async def impatient(store: RegisterStore) -> None:
    """Let the writer wait for no lock longer than a moment."""
    await asyncio.to_thread(store._writer._connection.execute, "SET lock_timeout = '50ms'")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition that another server brings about."""
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def unknown(store: RegisterStore, token: AccessToken) -> bool:
    return await store.tokens.find(token.token_hash) is None


@contextmanager
def held(database: Database, statement: str) -> Iterator[None]:
    """Let a session say something, and not end."""
    with ThreadPoolExecutor(1) as thread:  # a test has a loop of its own
        session = thread.submit(WaitingConnection, database.owner_url).result()
        thread.submit(session.execute, "BEGIN").result()
        thread.submit(session.execute, statement).result()
        yield
        thread.submit(session.close).result()
