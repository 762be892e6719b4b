"""Dumps of a register in PostgreSQL by pg_dump, and registers made of dumps."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from msgspec import UNSET, UnsetType

from enrol.adapters.backup import written
from enrol.adapters.database import SchemaState
from enrol.adapters.files import new_file, sha256_of
from enrol.adapters.inventory import Inventory, take_inventory
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import WaitingConnection
from enrol.adapters.postgres.database import open_to_read, schema_state, translated
from enrol.adapters.postgres.migration import migrate_postgres
from enrol.adapters.postgres.view import open_postgres_view
from enrol.adapters.restoring import Occasion, Restoration
from enrol.adapters.tables import metadata
from enrol.adapters.view import RegisterView
from enrol.errors import ConfigurationError

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_AS_SERVERS_CONNECT: Final = {"PGTARGETSESSIONATTRS": "read-write"}
"""Of several hosts the one that takes writes, as a snapshot is not known on another."""


def back_up_postgres(location: PostgresUrl, target: Path) -> Inventory:
    """Dump a register as it is now into a new file, and return what was in it at that moment.

    `location` is that of who owns the tables. Servers go on meanwhile. Raises `ConfigurationError`.
    """
    with written(target), new_file(target) as draft, open_to_read(location) as connection:
        with translated(location):
            connection.execute(_BEGIN)
            (snapshot,) = connection.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        view = RegisterView(connection, lambda: translated(location), begin="SAVEPOINT moment")
        _run(location, "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={draft}")
        held = take_inventory(view)
        _check_dump(location, draft, [table.name for table in metadata.sorted_tables])
        return held


def restore_postgres(
    source: Path, location: PostgresUrl, occasion: Occasion, *, server_role: str | None
) -> Restoration:
    """Make a register of a dump in an empty database.

    All stands or nothing. A dump of an older version is brought up to date. Raises
    `ConfigurationError`, also where the database is not empty.
    """
    _check_dump(location, source, ("alembic_version", "clients", "audit_events"))
    with translated(location), WaitingConnection(location.url) as connection:
        state = schema_state(connection.execute)
    if state is not SchemaState.EMPTY:
        raise ConfigurationError(
            "register_exists", f"{location} is not empty; a dump is restored into a new database."
        )
    _run(
        location,
        "pg_restore",
        *("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
        str(source),
    )
    migrate_postgres(location, server_role=server_role)
    return _go_on(location, occasion, backup=sha256_of(source))


def restored_in_place_postgres(location: PostgresUrl, occasion: Occasion) -> Restoration:
    """Take a register for the right one, though it is older than it was.

    Other machines' servers may have it meanwhile. Raises `ConfigurationError`.
    """
    return _go_on(location, occasion)


def _go_on(
    location: PostgresUrl, occasion: Occasion, *, backup: str | UnsetType = UNSET
) -> Restoration:
    """Count a register that was restored, and write that into it."""
    with open_postgres_view(location) as view:
        held = take_inventory(view)
    with (
        translated(location),
        written(occasion.seen),
        WaitingConnection(location.url, application="enrol restore") as connection,
    ):
        connection.begin()
        head = occasion.note(connection, backup=backup)
        connection.execute("COMMIT")
        occasion.settle(head)
    return Restoration(held, head)


def _check_dump(location: PostgresUrl, dump: Path, tables: Iterable[str]) -> None:
    """Refuse a file that pg_restore cannot read to its end, or that lacks a table."""
    listed = _run(location, "pg_restore", "--list", str(dump), connects=False)
    for table in tables:
        if f" TABLE DATA public {table} " not in listed:
            raise ConfigurationError("backup_damaged", f"{dump} lacks the table {table}.")
    _run(location, "pg_restore", f"--file={os.devnull}", str(dump), connects=False)


def _run(location: PostgresUrl, program: str, *arguments: str, connects: bool = True) -> str:
    """Run a program of PostgreSQL and return what it says; no password is on its command line."""
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(
            "postgres_tools_missing", f"{program} is not installed; it is PostgreSQL's client."
        )
    parts = urlsplit(location.url)
    environment = os.environ | _AS_SERVERS_CONNECT
    if parts.password is not None:
        environment["PGPASSWORD"] = unquote(parts.password)
    user, _, hosts = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{hosts}" if user else hosts
    url = urlunsplit(parts._replace(netloc=netloc))
    told = ("--no-password", f"--dbname={url}") if connects else ()
    done = subprocess.run(  # noqa: S603 - found by its name, without a shell
        [found, *told, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise ConfigurationError(
            "backup_failed", f"{program} failed: {said[-1] if said else done.returncode}"
        )
    return done.stdout
