"""What fails, fails alone, leaves no half change, and is never acknowledged."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from msgspec.structs import replace

from adapters.values import access_token, creation, key, record, refusal, removal, token_event
from enrol.adapters import store as store_module
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import StoreSettings
from enrol.errors import EntitlementError, UnavailableError
from enrol.oauth.types import ClientId

pytestmark = pytest.mark.usefixtures("path")
"""What a file of SQLite does; of PostgreSQL tells `test_postgres_faults`."""

TABLES = ("clients", "client_keys", "ledger", "audit_events")


@pytest.fixture
def counts(query):
    return lambda: {query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES}


@pytest.fixture
def statements(store):
    """Every statement the writer begins a transaction, ends one or changes a table with."""
    seen: list[str] = []
    store._writer._connection.set_trace_callback(seen.append)
    return seen


def fail_for(path, table: str, client_id: str) -> None:
    """Let the database itself refuse one row, as a full constraint would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            f"CREATE TRIGGER fault BEFORE INSERT ON {table} WHEN NEW.client_id = '{client_id}' "
            "BEGIN SELECT RAISE(ABORT, 'fault'); END"
        )


def fail_commits(store, monkeypatch, error: Exception, times: int = 10**6) -> None:
    complete = store._writer._commit
    left = iter(range(times))

    def commit():
        if next(left, None) is None:
            complete()
        else:
            raise error

    monkeypatch.setattr(store._writer, "_commit", commit)


def os_error(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    error.sqlite_errorcode = getattr(sqlite3, name)
    return error


async def test_many_concurrent_changes_share_few_transactions(store, statements, counts):
    await asyncio.gather(*(store.clients.commit(creation(number)) for number in range(1, 101)))
    assert statements.count("COMMIT") == 1
    assert counts() == {100}


@pytest.mark.parametrize("table", TABLES)
async def test_bad_row_fails_only_itself(store, path, counts, table):
    fail_for(path, table, "client-7")
    changes = [creation(number) for number in range(1, 21)]
    outcomes = await asyncio.gather(*map(store.clients.commit, changes), return_exceptions=True)
    failed = [n for n, outcome in enumerate(outcomes, 1) if isinstance(outcome, Exception)]
    assert failed == [7]
    assert outcomes[6].code == "storage_unavailable"
    assert isinstance(outcomes[6].__cause__, sqlite3.IntegrityError)
    assert counts() == {19}
    assert await store.clients.find(ClientId("client-7")) is None


async def test_failure_says_nothing_of_sql(store, path):
    fail_for(path, "clients", "client-1")
    with pytest.raises(UnavailableError) as failed:
        await store.clients.commit(creation(1))
    assert str(failed.value) == "storage_unavailable"


async def test_bad_row_spoils_neither_refusals_nor_repetitions_beside_it(store, path):
    fail_for(path, "clients", "client-7")
    await store.clients.commit(creation(1))
    outcomes = await asyncio.gather(
        *map(
            store.clients.commit,
            (creation(7), creation(2, request_number=1), creation(3, quota=1), creation(4)),
        ),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], UnavailableError)
    assert outcomes[1].client_id == "client-1"
    assert isinstance(outcomes[2], EntitlementError)
    assert outcomes[3].client_id == "client-4"


async def test_value_that_cannot_be_written_is_its_own_fault_only(store, counts):
    broken = creation(1)
    broken = replace(broken, entry=replace(broken.entry, at=broken.entry.at.replace(tzinfo=None)))
    outcomes = await asyncio.gather(
        store.clients.commit(broken), store.clients.commit(creation(2)), return_exceptions=True
    )
    assert isinstance(outcomes[0], TypeError)
    assert outcomes[1].client_id == "client-2"
    assert counts() == {1}


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(os_error("SQLITE_FULL"), id="disk full"),
        pytest.param(os_error("SQLITE_BUSY"), id="locked by another program"),
        pytest.param(os_error("SQLITE_IOERR_WRITE"), id="write failed"),
        pytest.param(os_error("SQLITE_READONLY"), id="read-only file system"),
        pytest.param(OSError(5, "Input/output error"), id="operating system"),
    ],
)
async def test_disk_that_refuses_fails_the_batch_and_heals(store, monkeypatch, counts, error):
    fail_commits(store, monkeypatch, error, times=1)
    changes = [creation(number) for number in range(1, 6)]
    outcomes = await asyncio.gather(*map(store.clients.commit, changes), return_exceptions=True)
    assert {outcome.code for outcome in outcomes} == {"storage_unavailable"}
    assert all(outcome.__cause__ is error for outcome in outcomes)
    assert counts() == {0}
    assert not store.healthy()
    await asyncio.gather(*map(store.clients.commit, changes))
    assert counts() == {5}
    assert not store.failed


async def test_register_is_ready_again_some_seconds_after_a_failure(store, monkeypatch):
    with monkeypatch.context() as patch:
        fail_commits(store, patch, os_error("SQLITE_FULL"))
        with pytest.raises(UnavailableError):
            await store.clients.commit(creation(1))
    assert not store.healthy()
    monkeypatch.setattr(store_module, "_RECOVERY", 0.0)
    assert store.healthy()


@pytest.mark.parametrize("name", ["SQLITE_IOERR_FSYNC", "SQLITE_CORRUPT", "SQLITE_NOTADB"])
async def test_lost_write_stops_all_writes_until_a_new_start(
    store, path, monkeypatch, counts, name
):
    await store.clients.commit(creation(1))
    fail_commits(store, monkeypatch, os_error(name), times=1)
    for number in (2, 3):
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(number))
    assert store.failed
    assert not store.healthy()
    assert await store.clients.find(ClientId("client-1")) == record(1)
    await store.aclose()
    reopened = open_sqlite(path)
    await reopened.clients.commit(creation(2))
    assert reopened.healthy()
    await reopened.aclose()
    assert counts() == {2}


async def test_lost_answer_of_a_commit_that_stands_is_found_by_the_same_request(store, monkeypatch):
    complete = store._writer._commit

    def commit_and_fail():
        complete()
        raise os_error("SQLITE_IOERR_WRITE")

    change = creation(1)
    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "_commit", commit_and_fail)
        with pytest.raises(UnavailableError):
            await store.clients.commit(change)
    assert await store.clients.commit(creation(2, request_number=1)) == change.entry


async def test_rollback_that_fails_stops_all_writes(store, monkeypatch):
    class Refusing:
        in_transaction = True

        def execute(self, statement, *parameters):
            raise os_error("SQLITE_IOERR_WRITE")

    monkeypatch.setattr(store._writer, "_connection", Refusing())
    store._writer._roll_back()
    assert store.failed


async def test_file_locked_by_another_program_is_unavailable(store, path):
    store._writer._connection.execute("PRAGMA busy_timeout=1")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(1))
        assert await store.clients.find(ClientId("client-1")) is None
    await store.clients.commit(creation(1))


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda s: s.clients.find(ClientId("client-1")), id="client"),
        pytest.param(lambda s: s.clients.find_version(ClientId("client-1"), 1), id="version"),
        pytest.param(
            lambda s: s.clients.find_keys(record(1).organization_identifier, "k"), id="key"
        ),
        pytest.param(lambda s: s.clients.find_entry(bytes(32)), id="entry"),
        pytest.param(lambda s: s.tokens.find(bytes(32)), id="token"),
    ],
)
async def test_register_that_cannot_be_read_is_unavailable(store, read):
    store._reader._connection.close()
    with pytest.raises(UnavailableError, match="storage_unavailable"):
        await read(store)
    assert not store.healthy()


async def test_record_that_cannot_be_understood_is_unavailable(store, query):
    await store.clients.commit(creation(1))
    query("UPDATE clients SET metadata = 'no JSON'")
    with pytest.raises(UnavailableError, match="storage_unavailable"):
        await store.clients.find(ClientId("client-1"))


async def test_tokens_and_events_fail_like_changes(store, monkeypatch, query):
    fail_commits(store, monkeypatch, os_error("SQLITE_FULL"), times=1)
    store.audit.note(refusal(1))
    with pytest.raises(UnavailableError, match="storage_unavailable"):
        await store.tokens.add(access_token(1), token_event(access_token(1)))
    assert store.audit.dropped == 1
    assert query("SELECT count(*) FROM audit_events") == [(0,)]


async def test_too_many_waiting_changes_are_refused(path):
    store = open_sqlite(path, StoreSettings(most_waiting=10))
    changes = [store.clients.commit(creation(number)) for number in range(1, 31)]
    outcomes = await asyncio.gather(*changes, return_exceptions=True)
    refusals = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    assert {refusal.code for refusal in refusals} == {"overloaded"}
    assert len(refusals) == 20
    await store.aclose()


async def test_closing_writes_what_waits(path, counts):
    store = open_sqlite(path)
    waiting = [asyncio.ensure_future(store.clients.commit(creation(n))) for n in range(1, 301)]
    await asyncio.sleep(0)
    await store.aclose()
    await asyncio.gather(*waiting)
    assert counts() == {300}


async def test_change_after_closing_is_told_to_go_elsewhere(path):
    store = open_sqlite(path)
    await store.aclose()
    with pytest.raises(UnavailableError, match="draining"):
        await store.clients.commit(creation(1))


async def test_cancelled_request_leaves_the_register_whole(store, counts):
    task = asyncio.ensure_future(store.clients.commit(creation(1)))
    await asyncio.sleep(0)
    task.cancel()
    await store.clients.commit(creation(2))
    assert counts() <= {1, 2}
    assert len(counts()) == 1


async def test_removal_forgets_tokens_even_when_its_request_was_cancelled(store, monkeypatch):
    token = access_token(1, client_id="client-1")
    await store.clients.commit(creation(1))
    await store.tokens.add(token, token_event(token))
    assert await store.tokens.find(token.token_hash) == token
    started, loop = asyncio.Event(), asyncio.get_running_loop()
    complete = store._writer._commit

    def commit():
        loop.call_soon_threadsafe(started.set)
        complete()

    monkeypatch.setattr(store._writer, "_commit", commit)
    task = asyncio.ensure_future(store.clients.commit(removal(record(1), request_number=2)))
    await started.wait()
    task.cancel()
    await store.clients.commit(creation(2, key(2)))
    assert await store.tokens.find(token.token_hash) is None
