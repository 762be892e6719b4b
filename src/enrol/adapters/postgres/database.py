"""A register in PostgreSQL, opened so that what was acknowledged survives a crash of the server."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import asyncpg

from enrol.adapters.database import SchemaState
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import LOST, WaitingConnection
from enrol.adapters.rows import Row
from enrol.adapters.tables import REVISIONS
from enrol.errors import ConfigurationError

_DURABLE: Final = {
    "fsync": frozenset({"on"}),
    "full_page_writes": frozenset({"on"}),
    "synchronous_commit": frozenset({"on", "remote_apply", "remote_write", "local"}),
}
"""What the server must be set to; the weaker commits differ in how replicas are waited for."""

_REFUSALS: Final = {
    SchemaState.EMPTY: "has no register yet; run `enrol migrate`",
    SchemaState.FOREIGN: "has tables of another program; give Enrol a database of its own",
    SchemaState.OUTDATED: "has an older schema; run `enrol migrate`",
    SchemaState.UNKNOWN: "has a schema this version does not know; use the Enrol that made it",
}

WRITTEN_ONCE: Final = ("audit_events", "evidence_blobs", "client_history")
"""The tables to which the role of the server adds rows, and which it cannot change."""

_SORTS_BYTES: Final = """
SELECT 'Z' < 'a' AND 'a-c' < 'ab' AND 'z' < 'é' AND current_setting('server_encoding') = 'UTF8'
"""
"""Whatever provides the order; pages are by client_id, and must go on where they stopped."""

_MAY_CHANGE_TABLES: Final = """
SELECT rolsuper OR rolcreaterole
    OR has_database_privilege(current_database(), 'CREATE')
    OR has_schema_privilege(current_user, current_schema(), 'CREATE')
    OR EXISTS (SELECT FROM pg_tables
               WHERE schemaname = current_schema() AND pg_has_role(tableowner, 'MEMBER'))
FROM pg_roles WHERE rolname = current_user
"""
"""A role that makes roles could make itself a member of the one that has the tables."""

_MAY_REWRITE: Final = """
SELECT coalesce(bool_or(
    has_table_privilege(once, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
    OR has_any_column_privilege(once, 'UPDATE')), true)
FROM unnest($1::text[]) AS once
"""


def open_to_write(location: PostgresUrl) -> WaitingConnection:
    """Return the connection of the server that writes.

    Raises `ConfigurationError` where the database is no register of this version, where it may
    lose what it acknowledged, sorts text in its own way, or lets this role change tables.
    """
    with translated(location):
        connection = WaitingConnection(location.url)
        try:
            check_state(location, schema_state(connection.execute), expected=(SchemaState.CURRENT,))
            _check_settings(location, connection)
            _check_rights(location, connection)
        except BaseException:
            connection.close()
            raise
    return connection


def open_to_read(location: PostgresUrl) -> WaitingConnection:
    """Return a connection that reads beside the servers; raises `ConfigurationError`."""
    with translated(location):
        connection = WaitingConnection(location.url, application="enrol command", is_patient=True)
        try:
            check_state(location, schema_state(connection.execute), expected=(SchemaState.CURRENT,))
            connection.execute("SET default_transaction_read_only = on")
        except BaseException:
            connection.close()
            raise
    return connection


def schema_state(ask: Callable[[str], Iterable[Row]]) -> SchemaState:
    """Return how the schema of a database that is asked stands to this version."""
    found = ask("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    tables = {name for (name,) in found}
    if not tables:
        return SchemaState.EMPTY
    if "alembic_version" not in tables:
        return SchemaState.FOREIGN
    revisions = [name for (name,) in ask("SELECT version_num FROM alembic_version")]
    if revisions == [REVISIONS[-1]]:
        return SchemaState.CURRENT
    return SchemaState.OUTDATED if set(revisions) < set(REVISIONS) else SchemaState.UNKNOWN


def check_state(
    location: PostgresUrl, state: SchemaState, *, expected: tuple[SchemaState, ...]
) -> None:
    """Raise `ConfigurationError` unless `state` is one of `expected`."""
    if state not in expected:
        raise ConfigurationError(f"database_{state}", f"{location} {_REFUSALS[state]}.")


def _check_settings(location: PostgresUrl, connection: WaitingConnection) -> None:
    for name, good in _DURABLE.items():
        (actual,) = connection.execute("SELECT current_setting($1)", (name,)).fetchone() or ("",)
        if actual not in good:
            raise ConfigurationError(
                "database_settings",
                f"{location}: {name} is {actual}, so that a crash could lose what was "
                "acknowledged; set it to on.",
            )
    (sorts_bytes,) = connection.execute(_SORTS_BYTES).fetchone() or (False,)
    if not sorts_bytes:
        raise ConfigurationError(
            "database_settings",
            f"{location} does not hold text in UTF-8, sorted by its bytes; make it anew with "
            "`createdb --template=template0 --encoding=UTF8 --locale=C.UTF-8`.",
        )


def _check_rights(location: PostgresUrl, connection: WaitingConnection) -> None:
    (may,) = connection.execute(_MAY_CHANGE_TABLES).fetchone() or (True,)
    if may:
        raise ConfigurationError(
            "database_rights",
            f"{location}: the role of storage.url may change tables. Give the tables to another "
            "role, name it in storage.migration_url, and run `enrol migrate`. What every role may "
            "do here is taken away by `REVOKE CREATE ON SCHEMA public FROM PUBLIC`.",
        )
    once = [*WRITTEN_ONCE, "audit_last"]
    (may,) = connection.execute(_MAY_REWRITE, (once,)).fetchone() or (True,)
    if may:
        raise ConfigurationError(
            "database_rights",
            f"{location}: the role of storage.url may change what is written once: "
            f"{', '.join(once)}. Revoke UPDATE, DELETE, TRUNCATE and TRIGGER on them.",
        )


@contextmanager
def translated(location: PostgresUrl) -> Iterator[None]:
    """Turn what PostgreSQL says into words for the operator."""
    try:
        yield
    except asyncpg.InvalidAuthorizationSpecificationError as exc:
        raise ConfigurationError(
            "database_unusable", f"{location} does not let this role in; see storage.url."
        ) from exc
    except asyncpg.InsufficientPrivilegeError as exc:
        raise ConfigurationError(
            "database_rights",
            f"{location} has a register that this role may not use; run `enrol migrate` with "
            "storage.url naming the role.",
        ) from exc
    except (*LOST, asyncpg.PostgresError, ValueError) as exc:
        raise ConfigurationError(
            "database_unusable",
            f"{location} cannot be used: {type(exc).__name__}. Does the server run, and does "
            "the database exist?",
        ) from exc
