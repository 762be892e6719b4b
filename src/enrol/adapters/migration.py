"""Makes a register, and brings one up to date."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from enrol.adapters.database import (
    WRITER_PATIENCE,
    SchemaState,
    acquire_lock,
    check_state,
    connect,
    translated,
)
from enrol.adapters.files import sync
from enrol.errors import ConfigurationError

_PAGE_SIZE: Final = 8192
"""A sixth faster than SQLite's own 4096, as a client with its certificate takes six kilobytes."""

_SCRIPTS: Final = Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """Return the configuration of Alembic, whose scripts are part of the package."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(path: Path, *, create: bool = True) -> None:
    """Bring the register at `path` up to date; where there is none, make one if `create` is true.

    All revisions stand or none does, and a new file appears only when it is complete. Raises
    `ConfigurationError` as `open_database` does.
    """
    path = path.resolve()
    with acquire_lock(path), translated(path):
        if path.exists():
            _upgrade(path, (SchemaState.CURRENT, SchemaState.OUTDATED))
        elif create:
            _create(path)
        else:
            check_state(path, SchemaState.MISSING, expected=())


def _create(path: Path) -> None:
    """Build the file under another name, bring it to disk, then give it its own."""
    _check_no_log(path)
    draft = path.with_name(f"{path.name}.new")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{draft}{suffix}").unlink(missing_ok=True)
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(sqlite3.connect(draft)) as blank:
        blank.execute(f"PRAGMA page_size={_PAGE_SIZE}")
        blank.execute("PRAGMA journal_mode=wal")  # writes the first page, in that size
    _upgrade(draft, (SchemaState.EMPTY,))
    sync(draft)
    draft.rename(path)
    sync(path.parent)


def _check_no_log(path: Path) -> None:
    """Refuse to begin anew beside the write-ahead log of a register that was moved away."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size > 0:
        raise ConfigurationError(
            "database_missing",
            f"{path} does not exist, and {log.name} beside it holds changes of it; restore both.",
        )


def _upgrade(path: Path, expected: tuple[SchemaState, ...]) -> None:
    connection = connect(path, patience=WRITER_PATIENCE, expected=expected)
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    try:
        config = alembic_config()
        with engine.connect() as transaction:
            transaction.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = transaction
            command.upgrade(config, "head")
            transaction.commit()
        # closing would bring the log into the file too, and say nothing where it cannot
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except DBAPIError as exc:
        raise exc.orig or exc from exc
    finally:
        engine.dispose()
        connection.close()
