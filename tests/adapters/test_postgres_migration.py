"""A register in PostgreSQL is made whole, and goes up and down with what is in it."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from alembic import command
from sqlalchemy import create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.registers import open_here
from adapters.test_postgres_faults import held
from adapters.trails import review
from adapters.values import access_token, creation, record, removal, replacement, token_event
from cluster import SERVER, Cluster, Database
from enrol.adapters.location import PostgresUrl
from enrol.adapters.migration import alembic_config
from enrol.adapters.postgres.database import open_to_write
from enrol.adapters.postgres.migration import migrate_postgres
from enrol.adapters.tables import REVISIONS, metadata
from enrol.errors import ConfigurationError

TABLES = [table.name for table in metadata.sorted_tables]


@pytest.fixture
def database(cluster: Cluster) -> Database:
    return cluster.create_register()


def migrate(database: Database) -> None:
    migrate_postgres(PostgresUrl(database.owner_url), server_role=SERVER)


def engine_of(database: Database):
    url = database.owner_url.replace("postgresql://", "postgresql+asyncpg://")
    return create_async_engine(url, poolclass=NullPool)


def take_down(database: Database, revision: str) -> None:
    """Let Alembic go back to a revision."""

    def down(connection) -> None:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, revision)

    async def run() -> None:
        async with engine_of(database).begin() as connection:
            await connection.run_sync(down)

    asyncio.run(run())


def columns(connection) -> dict[str, tuple]:
    """Return of each table its columns and what is required of them, its keys and its indexes."""
    found = inspect(connection)
    return {
        table: (
            {each["name"]: each["nullable"] for each in found.get_columns(table)},
            found.get_pk_constraint(table)["constrained_columns"],
            sorted(each["column_names"] for each in found.get_unique_constraints(table)),
            sorted(each["constrained_columns"] for each in found.get_foreign_keys(table)),
            sorted(each["name"] for each in found.get_check_constraints(table)),
            {
                each["name"]: each["column_names"]
                for each in found.get_indexes(table)
                if "duplicates_constraint" not in each
            },
        )
        for table in TABLES
    }


def rows(database: Database) -> dict[str, list[tuple]]:
    old = [name for name in TABLES if name not in ("used_assertions", "limit_spendings")]
    return {name: sorted(database.rows(f"SELECT * FROM {name}"), key=repr) for name in old}


async def fill(database: Database) -> None:
    store = await open_here(PostgresUrl(database.server_url))
    for number in range(1, 6):
        await store.clients.commit(creation(number))
    await store.clients.commit(replacement(record(2), request_number=12))
    await store.clients.commit(removal(record(3), request_number=13))
    await store.tokens.add(access_token(1), token_event(access_token(1)))
    await store.aclose()


FURTHER = """
INSERT INTO client_standings (client_id, state, code, since, unapproved)
    VALUES ('client-1', 'suspended', 'cert_revoked', 1, 0);
INSERT INTO client_agents VALUES ('client-2', 'PSDFR-ACPR-12345');
INSERT INTO client_token_uses VALUES ('client-4', 2);
INSERT INTO software_statements VALUES ('name', 'digest', 'PSDFR-ACPR-12345', 'client-5');
INSERT INTO evidence_blobs (sha256, content) VALUES (sha256('content'), 'content');
INSERT INTO outbox (id, message_id, client_id, type, at, payload, attempts)
    VALUES (1, 'one', 'client-1', 'client_suspended', 1, 'payload', 0)
"""
"""What stands where `fill` writes nothing."""


def test_a_register_that_is_up_to_date_is_left_as_it_is(database):
    asyncio.run(fill(database))
    before = rows(database)
    migrate(database)
    assert rows(database) == before


def test_it_has_the_columns_that_the_scripts_make_in_sqlite(database, path):
    async def of_postgres() -> dict[str, tuple]:
        async with engine_of(database).connect() as connection:
            return await connection.run_sync(columns)

    with create_engine(f"sqlite:///{path}", poolclass=NullPool).connect() as connection:
        assert asyncio.run(of_postgres()) == columns(connection)


def test_an_older_register_comes_up_to_date_with_all_that_is_in_it(database):
    asyncio.run(fill(database))
    for statement in FURTHER.split(";"):
        database.rows(statement)
    before = rows(database)
    assert all(before.values())
    take_down(database, "0005")
    assert rows(database) == before
    with pytest.raises(ConfigurationError, match="run `enrol migrate`"):
        asyncio.run(fill(database))
    migrate(database)
    assert rows(database) == before
    assert review(PostgresUrl(database.server_url)).wrong == 0


def test_the_server_may_use_what_an_upgrade_makes(database):
    take_down(database, "0005")
    migrate(database)
    asyncio.run(fill(database))
    granted = database.rows(
        "SELECT count(*) FROM information_schema.table_privileges "
        "WHERE grantee = ? AND table_name = 'used_assertions'",
        SERVER,
    )
    assert granted[0][0] >= 4


def test_two_migrations_at_once_make_one_register(cluster):
    empty = cluster.create()
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(migrate, [empty, empty])) == [None, None]
    assert empty.rows("SELECT version_num FROM alembic_version") == [(REVISIONS[-1],)]


def test_a_migration_that_is_killed_leaves_what_was_there(database, cluster):
    take_down(database, "0005")
    tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    before = database.rows(tables)
    waiting = "SELECT pid FROM pg_locks WHERE NOT granted"
    with (
        held(database, "LOCK TABLE alembic_version IN SHARE MODE"),
        ThreadPoolExecutor(1) as thread,
    ):
        migrating = thread.submit(migrate, database)  # makes its tables, then waits
        deadline = time.monotonic() + 30
        while not (found := cluster.sql(waiting)):
            assert time.monotonic() < deadline
        cluster.sql(f"SELECT pg_terminate_backend({found})")
        with pytest.raises(ConfigurationError) as refused:
            migrating.result()
    assert refused.value.code == "database_unusable"
    assert database.rows(tables) == before
    migrate(database)


def test_a_migration_that_fails_leaves_nothing(cluster):
    empty = cluster.create()
    with pytest.raises(ConfigurationError) as refused:
        migrate_postgres(PostgresUrl(empty.owner_url), server_role="nobody of that name")
    assert refused.value.code == "database_unusable"
    assert empty.rows("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_the_tables_of_another_program_are_left_alone(cluster):
    other = cluster.create()
    other.rows("CREATE TABLE accounts (number INTEGER)")
    with pytest.raises(ConfigurationError, match="another program"):
        migrate(other)


@pytest.mark.parametrize(
    "form",
    [
        "postgresql://{role}@127.0.0.1:{port}/{name}?sslmode=prefer",
        "postgresql://{role}@127.0.0.1:1,127.0.0.1:{port}/{name}",
        "postgresql://{role}:p%40ss@127.0.0.1:{port}/{name}?application_name=x",
        "postgresql:///{name}?host=127.0.0.1&port={port}&user={role}",
    ],
)
def test_whatever_url_a_server_takes_a_migration_takes(cluster, form):
    empty = cluster.create()
    parts = urlsplit(empty.owner_url)
    url = form.format(role=parts.username, port=parts.port, name=parts.path[1:])
    migrate_postgres(PostgresUrl(url), server_role=SERVER)
    open_to_write(PostgresUrl(empty.server_url)).close()
