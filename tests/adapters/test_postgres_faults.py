"""What PostgreSQL does to a register: nothing acknowledged is lost, and it heals by itself."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from adapters.registers import open_here, reviewed, until, waits_for_a_lock
from adapters.values import (
    access_token,
    creation,
    key,
    record,
)
from cluster import SERVER, Database
from enrol.adapters import store as store_module
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres import reader as reader_module
from enrol.adapters.postgres.connection import WRITER_LOCK, WaitingConnection
from enrol.adapters.store import RegisterStore
from enrol.errors import UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.ports import Change, Creation
from line import Line

pytestmark = pytest.mark.usefixtures("database")

ONE = ClientId("client-1")
BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'enrol'"


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


# Surroundings


async def healthy_again(store: RegisterStore, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(store_module, "_RECOVERY", 0.0)
    return store.healthy()


async def impatient(store: RegisterStore) -> None:
    """Let the writer wait for no lock longer than a moment."""
    await asyncio.to_thread(store._writer._connection.execute, "SET lock_timeout = '50ms'")


@contextmanager
def held(database: Database, statement: str) -> Iterator[None]:
    """Let a session say something, and not end."""
    with ThreadPoolExecutor(1) as thread:  # a test has a loop of its own
        session = thread.submit(WaitingConnection, database.owner_url).result()
        thread.submit(session.execute, "BEGIN").result()
        thread.submit(session.execute, statement).result()
        yield
        thread.submit(session.close).result()
