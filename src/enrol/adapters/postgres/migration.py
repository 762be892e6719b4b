"""Makes a register in PostgreSQL, and brings one up to date."""

import asyncio
from typing import Final

from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from enrol.adapters.database import SchemaState
from enrol.adapters.location import PostgresUrl
from enrol.adapters.migration import alembic_config
from enrol.adapters.postgres.connection import WRITER_LOCK, WaitingConnection
from enrol.adapters.postgres.database import check_state, schema_state, translated
from enrol.adapters.postgres.duty import OUTBOX_CHANNEL
from enrol.adapters.tables import metadata

_LAST_EVENT: Final = (
    "CREATE TABLE audit_last (id BIGINT NOT NULL)",
    "INSERT INTO audit_last VALUES (0)",
    """CREATE FUNCTION note_last_event() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
       BEGIN UPDATE audit_last SET id = NEW.id WHERE id < NEW.id; RETURN NULL; END $$""",
    """CREATE TRIGGER note_last_event AFTER INSERT ON audit_events
       FOR EACH ROW EXECUTE FUNCTION note_last_event()""",
)
"""Remembers the highest number an event ever had, as AUTOINCREMENT does in SQLite."""

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
        with WaitingConnection(location.url, application="enrol migrate") as connection:
            state = schema_state(connection)
        usable = (SchemaState.EMPTY, SchemaState.CURRENT, SchemaState.OUTDATED)
        check_state(location, state, expected=usable)
        asyncio.run(_migrate(location, state, server_role))


async def _migrate(location: PostgresUrl, state: SchemaState, server_role: str | None) -> None:
    _, _, rest = location.url.partition("://")
    engine = create_async_engine(f"postgresql+asyncpg://{rest}", poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
            await connection.run_sync(_upgrade, state)
            if server_role is not None:
                await connection.run_sync(_grant, server_role)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection, state: SchemaState) -> None:
    """Make the tables of this version, or those it has more than an older one.

    No register in PostgreSQL is older than revision 0005.
    """
    config = alembic_config()
    config.attributes["connection"] = connection
    if state is SchemaState.EMPTY:
        metadata.create_all(connection)
        for statement in (*_LAST_EVENT, *_TOLD_OUTBOX):
            connection.exec_driver_sql(statement)
        command.stamp(config, "head")
    else:
        command.upgrade(config, "head")


def _grant(connection: Connection, role: str) -> None:
    """Let a role read and write rows, and the audit trail read and grow only."""
    name = connection.dialect.identifier_preparer.quote(role)
    for table in metadata.sorted_tables:
        rights = "SELECT, INSERT"
        if table.name not in ("audit_events", "evidence_blobs", "client_history"):
            rights += ", UPDATE, DELETE"
        connection.exec_driver_sql(f"GRANT {rights} ON {table.name} TO {name}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version, audit_last TO {name}")
    connection.exec_driver_sql(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}")
