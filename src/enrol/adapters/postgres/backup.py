"""Dumps of a register in PostgreSQL by pg_dump, and registers made of dumps."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from enrol.adapters.backup import written
from enrol.adapters.database import SchemaState
from enrol.adapters.files import new_file
from enrol.adapters.inventory import Inventory, take_inventory
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import WaitingConnection
from enrol.adapters.postgres.database import open_to_read, schema_state, translated
from enrol.adapters.postgres.migration import migrate_postgres
from enrol.adapters.postgres.view import open_postgres_view
from enrol.adapters.tables import metadata
from enrol.adapters.view import RegisterView
from enrol.errors import ConfigurationError

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ"


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
        _check_dump(location, draft)
        return held


def restore_postgres(source: Path, location: PostgresUrl, *, server_role: str | None) -> Inventory:
    """Make a register of a dump in an empty database, and return what it holds.

    All stands or nothing. Raises `ConfigurationError`, also where the database is not empty.
    """
    _check_dump(location, source)
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
    with open_postgres_view(location) as view:
        return take_inventory(view)


def _check_dump(location: PostgresUrl, dump: Path) -> None:
    """Refuse a file that pg_restore cannot read, or that lacks a table."""
    listed = _run(location, "pg_restore", "--list", str(dump), connects=False)
    for table in metadata.sorted_tables:
        if f" TABLE DATA public {table.name} " not in listed:
            raise ConfigurationError("backup_damaged", f"{dump} lacks the table {table.name}.")


def _run(location: PostgresUrl, program: str, *arguments: str, connects: bool = True) -> str:
    """Run a program of PostgreSQL and return what it says; no password is on its command line."""
    found = shutil.which(program)
    if found is None:
        raise ConfigurationError(
            "postgres_tools_missing", f"{program} is not installed; it is PostgreSQL's client."
        )
    parts = urlsplit(location.url)
    environment = dict(os.environ)
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
