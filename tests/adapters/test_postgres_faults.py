"""What PostgreSQL does to a register: nothing acknowledged is lost, and it heals by itself."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

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
from cluster import Database, running_cluster
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import WRITER_LOCK, WaitingConnection
from enrol.adapters.store import RegisterStore
from enrol.errors import EntitlementError, UnavailableError
from enrol.oauth.tokens import AccessToken
from enrol.oauth.types import ClientId
from enrol.registration.review import Review

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


async def test_a_server_that_is_away_is_unavailable_until_it_is_back(store, cluster):
    await store.clients.commit(creation(1))
    cluster.stop("immediate")
    try:
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.commit(creation(2))
        with pytest.raises(UnavailableError, match="storage_unavailable"):
            await store.clients.find(ONE)
        assert not store.healthy()
        assert not store.failed
    finally:
        cluster.start()
    assert await store.clients.find(ONE) is not None
    await store.clients.commit(creation(2))


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


async def test_a_bad_row_fails_alone(store, database):
    bad = creation(2, key(2, kid="a\x00b"))
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


async def impatient(store: RegisterStore) -> None:
    """Let the writer wait for no lock longer than a moment."""
    await asyncio.to_thread(store._writer._connection.execute, "SET lock_timeout = '50ms'")


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition that another server brings about."""
    async with asyncio.timeout(10):
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


class Line:
    """The way to a server, which can be cut behind what a client says."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
        self._is_cut = threading.Event()
        self._sockets: list[socket.socket] = []

    def cut(self) -> None:
        """Let what is said through from now on, but no answer, until somebody connects anew."""
        self._is_cut.set()

    def __enter__(self) -> "Line":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._is_cut.clear()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for source, target in ((near, far), (far, near)):
                    said = (source, target, source is near)
                    threading.Thread(target=self._carry, args=said, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_asked: bool) -> None:
        with suppress(OSError):
            for data in iter(lambda: source.recv(65_536), b""):
                if not is_asked and self._is_cut.is_set():
                    break  # the answer is there, and is not told
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


async def test_what_was_acknowledged_survives_the_server_and_goes_on_at_its_standby():
    """The first server is gone for good; the second of the URL takes over, without a new start."""
    with running_cluster() as first, first.standby("second") as second:
        register = await asyncio.to_thread(first.create_register)
        parts = urlsplit(register.server_url)
        hosts = f"127.0.0.1:{first.port},127.0.0.1:{second.port}"
        store = await open_here(PostgresUrl(f"postgresql://{parts.username}@{hosts}{parts.path}"))
        acknowledged: list[str] = []

        async def register_clients(first_number: int) -> None:
            for number in range(first_number, first_number + 200):
                await store.clients.commit(creation(number))
                acknowledged.append(f"client-{number}")

        writing = [asyncio.create_task(register_clients(each)) for each in (1, 201, 401)]
        await until(lambda: enough(acknowledged))
        await asyncio.to_thread(first.stop, "immediate")
        ended = await asyncio.gather(*writing, return_exceptions=True)
        assert all(isinstance(each, UnavailableError) for each in ended)
        await asyncio.to_thread(second.promote)
        await until(lambda: is_written(store))
        found = {str(each.client_id) for each in await store.clients.page(ClientId(""), 1000)}
        assert found >= set(acknowledged)
        await store.aclose()


async def enough(acknowledged: list[str]) -> bool:
    return len(acknowledged) >= 30


async def is_written(store: RegisterStore) -> bool:
    with suppress(UnavailableError):
        await store.clients.commit(creation(999))
        return True
    return False
