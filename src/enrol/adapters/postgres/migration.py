"""Makes a register in PostgreSQL, and brings one up to date."""

import asyncio
from functools import partial
from typing import Final

from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from enrol.adapters.database import SchemaState
from enrol.adapters.location import PostgresUrl
from enrol.adapters.migration import alembic_config
from enrol.adapters.postgres.connection import WRITER_LOCK, connect_patiently
from enrol.adapters.postgres.database import (
    WRITTEN_ONCE,
    check_state,
    schema_state,
    translated,
)
from enrol.adapters.postgres.duty import OUTBOX_CHANNEL
from enrol.adapters.tables import metadata
from enrol.errors import ConfigurationError

_LAST_EVENT: Final = (
    "CREATE TABLE audit_last (id BIGINT NOT NULL)",
    "INSERT INTO audit_last VALUES (0)",
    """CREATE FUNCTION note_last_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
       BEGIN UPDATE audit_last SET id = NEW.id WHERE id < NEW.id; RETURN NULL; END $$""",
    "ALTER FUNCTION note_last_event() SET search_path = {schema}, pg_temp",
    """CREATE TRIGGER note_last_event AFTER INSERT ON audit_events
       FOR EACH ROW EXECUTE FUNCTION note_last_event()""",
)
"""Remembers the highest number an event ever had, as AUTOINCREMENT does in SQLite.

What it writes to is found in the schema of the register first, not among the tables of a session.
"""

_TOLD_OUTBOX: Final = (
    f"""CREATE FUNCTION tell_of_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN NOTIFY {OUTBOX_CHANNEL}; RETURN NULL; END $$""",
    """CREATE TRIGGER tell_of_outbox AFTER INSERT OR UPDATE ON outbox
       FOR EACH STATEMENT EXECUTE FUNCTION tell_of_outbox()""",
)
"""Wakes the server that delivers, whichever server wrote."""


def migrate_postgres(location: PostgresUrl, *, server_role: str | None = None) -> None:
    """Bring the register up to date, or make one in an empty database, in one transaction.

    `server_role` is let to read and write, and of the audit trail to read and add. Raises
    `ConfigurationError`.
    """
    with translated(location):
        try:
            asyncio.run(_migrate(location, server_role))
        except DBAPIError as exc:
            raise ConfigurationError(
                "database_unusable",
                f"{location} cannot be migrated: {type(exc).__name__}. Does the role of "
                "storage.migration_url own the tables, and does that of storage.url exist?",
            ) from exc


async def _migrate(location: PostgresUrl, server_role: str | None) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connect_patiently, location.url, application="enrol migrate"),
        isolation_level="READ COMMITTED",  # another migration may have had the lock before
        poolclass=NullPool,
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
            await connection.run_sync(_upgrade, location)
            if server_role is not None:
                await connection.run_sync(_grant, server_role)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, location: PostgresUrl) -> None:
    """Make the tables of this version, or those it has more than an older one.

    No register in PostgreSQL is older than revision 0005.
    """
    state = schema_state(connection.exec_driver_sql)
    usable = (SchemaState.EMPTY, SchemaState.CURRENT, SchemaState.OUTDATED)
    check_state(location, state, expected=usable)
    config = alembic_config()
    config.attributes["connection"] = connection
    if state is SchemaState.EMPTY:
        metadata.create_all(connection)
        for statement in (*_LAST_EVENT, *_TOLD_OUTBOX):
            connection.exec_driver_sql(statement.replace("{schema}", _schema(connection)))
        command.stamp(config, "head")
    else:
        command.upgrade(config, "head")


def _grant(connection: Connection, role: str) -> None:
    """Let a role read and write rows, and the audit trail read and grow only."""
    name = connection.dialect.identifier_preparer.quote(role)
    for table in metadata.sorted_tables:
        rights = "SELECT, INSERT"
        if table.name not in WRITTEN_ONCE:
            rights += ", UPDATE, DELETE"
        connection.exec_driver_sql(f"GRANT {rights} ON {table.name} TO {name}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version, audit_last TO {name}")
    connection.exec_driver_sql(
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {_schema(connection)} TO {name}"
    )


def _schema(connection: Connection) -> str:
    return str(connection.exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one())
