"""Where a machine is gone or silent, the register goes on as soon as another one has it."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import asyncpg
import pytest

from adapters.registers import open_here
from adapters.test_postgres_faults import healthy_again, until
from adapters.values import creation
from cluster import Cluster, Database, running_cluster
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres import connection as connection_module
from enrol.adapters.postgres import reader as reader_module
from enrol.adapters.postgres.connection import WaitingConnection
from enrol.adapters.postgres.hosts import each_host, first_of
from enrol.adapters.store import RegisterStore
from enrol.errors import UnavailableError
from enrol.oauth.types import ClientId
from enrol.registration.record import ClientRecord
from line import Line

ONE = ClientId("client-1")


@pytest.fixture
def database(migrated: Database) -> Database:
    migrated.empty()
    return migrated


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers that wait for no answer longer than a moment."""
    monkeypatch.setattr(connection_module, "_ANSWER", 1.2)
    monkeypatch.setattr(reader_module, "_PATIENCE", 1.2)
    session = connection_module._SESSION | {"lock_timeout": "300ms"}
    monkeypatch.setattr(connection_module, "_SESSION", session)


async def test_a_server_that_does_not_answer_is_unavailable_until_it_does(
    database, impatient, monkeypatch
):
    with Line(database.server_url) as line:
        store = await open_here(PostgresUrl(line.url))
        assert await store.clients.find(ONE) is None
        line.freeze()
        outcomes = await asyncio.gather(
            store.clients.commit(creation(1)), store.clients.find(ONE), return_exceptions=True
        )
        assert [each.code for each in outcomes] == ["storage_unavailable"] * 2
        assert not store.healthy()
        line.thaw()
        assert await store.clients.find(ONE) is None
        await store.clients.commit(creation(1))
        await until(lambda: healthy_again(store, monkeypatch))
        await store.aclose()


async def test_a_machine_that_is_gone_keeps_nobody_from_the_next(database, impatient):
    """The first of two hosts answers, and then nothing any more, not even that it is gone."""
    with Line(database.server_url) as line:
        store = await open_here(PostgresUrl(f"postgresql://{beside(line, database)}"))
        await store.clients.commit(creation(1))
        found = await asyncio.gather(*everybody_reads(store))
        assert None not in found
        line.freeze()
        outcomes = await asyncio.gather(
            store.clients.commit(creation(2)), *everybody_reads(store), return_exceptions=True
        )
        assert {each.code for each in outcomes} == {"storage_unavailable"}
        await store.clients.commit(creation(2))
        assert await asyncio.gather(*everybody_reads(store)) == found
        await store.aclose()


async def test_a_server_starts_where_the_first_machine_is_gone(database):
    with Line(database.server_url) as line:
        line.freeze()
        store = await open_here(PostgresUrl(f"postgresql://{beside(line, database)}"))
        await store.clients.commit(creation(1))
        assert await store.clients.find(ONE) is not None
        assert await store.duty.is_mine()
        await store.aclose()


async def test_a_writer_that_is_gone_leaves_its_turn_to_others(database, monkeypatch):
    """Else they would wait for as long as the kernel believes in its connection: two hours."""
    session = connection_module._SESSION | {"idle_in_transaction_session_timeout": "200ms"}
    store = await open_here(PostgresUrl(database.server_url))
    monkeypatch.setattr(connection_module, "_SESSION", session)
    gone = await asyncio.to_thread(WaitingConnection, database.server_url)
    await asyncio.to_thread(gone.begin)
    await store.clients.commit(creation(1))
    await store.aclose()
    await asyncio.to_thread(gone.close)


async def test_connections_of_a_machine_that_is_gone_are_given_up(database):
    names = "idle_in_transaction_session_timeout", "tcp_keepalives_idle", "tcp_user_timeout"

    def shown() -> list[str]:
        with WaitingConnection(database.server_url) as connection:
            found = [connection.execute(f"SHOW {name}").fetchone() for name in names]
            return [value for (value,) in found]

    assert await asyncio.to_thread(shown) == ["5s", "10", "25000"]


async def test_what_no_standby_has_is_not_acknowledged(database, cluster, impatient):
    """Not even to who asks again and would be answered with what stands at the first server."""
    store = await open_here(PostgresUrl(database.server_url))
    with waiting_for_a_standby(cluster):
        for _ in range(2):
            with pytest.raises(UnavailableError, match="storage_unavailable"):
                await store.clients.commit(creation(1))
            assert await store.clients.find(ONE) is None
        assert not store.failed
    await until(lambda: is_written(store, 1))
    assert (await asyncio.to_thread(database.rows, "SELECT count(*) FROM ledger")) == [(1,)]
    await store.aclose()


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://r@one/db", ["postgresql://r@one/db"]),
        ("postgresql:///db?host=/run/x", ["postgresql:///db?host=/run/x"]),
        ("postgresql://r:p%40,@one,two:5/db?a=1", ["one", "two:5"]),
        ("postgresql://r:p%40,@[::1]:5,[::2]/db?a=1", ["[::1]:5", "[::2]"]),
    ],
)
def test_each_host_of_a_url_has_one_of_its_own(url, hosts):
    if len(hosts) > 1:
        hosts = [f"postgresql://r:p%40,@{host}/db?a=1" for host in hosts]
    assert list(each_host(url)) == hosts


class Attempt:
    """A connection that is made, or not."""

    def __init__(self, outcome: Exception | None = None, *, after: int = 0) -> None:
        self.outcome = outcome
        self.turns = after
        self.began = self.ended = False

    async def __call__(self) -> "Attempt":
        self.began = True
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.outcome is not None:
            raise self.outcome
        return self

    def terminate(self) -> None:
        self.ended = True


async def test_the_next_host_is_asked_at_once_where_one_fails():
    first, second, third = Attempt(ConnectionRefusedError()), Attempt(), Attempt()
    assert await first_of([first, second, third]) is second
    assert not third.began


async def test_a_connection_that_came_second_is_ended(monkeypatch):
    monkeypatch.setattr("enrol.adapters.postgres.hosts.HEAD_START", 0.0)
    slow, quick = Attempt(after=9), Attempt(after=8)
    chosen = await first_of([slow, quick])
    assert [each.ended for each in (slow, quick) if each is not chosen and each.began] in (
        [True],
        [],
    )
    assert not chosen.ended


@pytest.mark.parametrize("order", [1, -1])
async def test_what_a_server_said_counts_more_than_that_another_is_away(order):
    said = asyncpg.InvalidPasswordError("no")
    attempts = [Attempt(said), Attempt(ConnectionRefusedError())][::order]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await first_of(attempts)


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


def everybody_reads(store: RegisterStore) -> list[Awaitable[ClientRecord | None]]:
    """Read on every connection there is."""
    return [store.clients.find(ONE) for _ in range(reader_module.AT_ONCE)]


async def is_written(store: RegisterStore, number: int = 999) -> bool:
    with suppress(UnavailableError):
        await store.clients.commit(creation(number))
        return True
    return False


def beside(line: Line, database: Database) -> str:
    """Return a URL, without its scheme, of two hosts: behind a line, and directly."""
    parts = urlsplit(database.server_url)
    return f"{parts.username}@127.0.0.1:{line.port},127.0.0.1:{parts.port}{parts.path}"


@contextmanager
def waiting_for_a_standby(cluster: Cluster) -> Iterator[None]:
    """Let commits wait for a standby that is not there."""
    cluster.sql("ALTER SYSTEM SET synchronous_standby_names = 'absent'")
    cluster.sql("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        cluster.sql("ALTER SYSTEM RESET synchronous_standby_names")
        cluster.sql("SELECT pg_reload_conf()")
