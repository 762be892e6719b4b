"""A SQLite register made of a backup, or taken as it was put there by other means."""

import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from enrol.adapters.backup import inspect_backup, written
from enrol.adapters.database import (
    WRITER_PATIENCE,
    SchemaState,
    acquire_lock,
    check_state,
    connect,
    connect_to_read,
    schema_state,
    translated,
)
from enrol.adapters.files import new_file, sha256_of, sync
from enrol.adapters.inventory import take_inventory
from enrol.adapters.restoring import Occasion, Restoration, last_given
from enrol.adapters.view import open_view
from enrol.errors import ConfigurationError
from enrol.registration.chain import Head

_PARTS: Final = ("", "-wal", "-shm")


def restore(source: Path, path: Path, occasion: Occasion, *, replace: bool) -> Restoration:
    """Make the register at `path` of a backup.

    With `replace` a register that is there is kept under another name, which has the time. A
    backup of an older version is brought up to date. Raises `ConfigurationError`, also while a
    server has the register, which is there as it was unless all went well.

    1. the backup holds together;
    2. what is to be the register does, on disk and under another name;
    3. whatever is there of the old one gives up its name: file and log, or the log alone;
    4. the new one takes it, and is read as a server would.
    """
    _check_backup(source)  # (1)
    path = path.resolve()
    fresh = path.with_name(f"{path.name}.restored")
    with acquire_lock(path), written(path):
        if not replace:
            _check_nothing_there(path)
        fresh.unlink(missing_ok=True)
        try:
            with new_file(fresh) as draft:  # (2)
                shutil.copyfile(source, draft)
                _bring_up_to_date(draft)
                held = inspect_backup(draft)
                head = _note(draft, source, occasion, reached=_reached(path))
            aside = _set_aside(path, f"{occasion.at:%Y%m%dT%H%M%SZ}")  # (3)
            fresh.rename(path)  # (4)
            sync(path.parent)
            occasion.settle(head)
        finally:
            fresh.unlink(missing_ok=True)
    with open_view(path) as view:
        if take_inventory(view).head != head:
            raise ConfigurationError("backup_damaged", f"{path} is not what {source} was.")
    return Restoration(held, head, aside)


def restored_in_place(path: Path, occasion: Occasion) -> Restoration:
    """Take the register at `path` for the right one, though it is older than it was.

    Raises `ConfigurationError`, also while a server has it.
    """
    check_state(path, schema_state(path), expected=(SchemaState.CURRENT,))
    path = path.resolve()
    with acquire_lock(path), written(path):
        held = inspect_backup(path)
        with closing(
            connect(path, patience=WRITER_PATIENCE, expected=(SchemaState.CURRENT,))
        ) as connection:
            connection.execute("BEGIN IMMEDIATE")
            head = occasion.note(connection)
            connection.execute("COMMIT")
        occasion.settle(head)
    return Restoration(held, head)


def _note(draft: Path, source: Path, occasion: Occasion, *, reached: int) -> Head:
    """Write into what is to be the register what it was made of."""
    with translated(draft), closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        head = occasion.note(connection, reached=reached, backup=sha256_of(source))
        connection.execute("COMMIT")
    return head


def _reached(path: Path) -> int:
    """Return how far the register that is there has come, as far as it can be read."""
    with suppress(ConfigurationError, sqlite3.Error), closing(connect_to_read(path)) as connection:
        return last_given(connection)
    return 0


def _check_backup(source: Path) -> None:
    """Refuse what is no backup of a version that is known, damaged, or a register in use."""
    if _holds_changes(source):
        raise ConfigurationError(
            "backup_incomplete",
            f"{source}-wal holds changes of {source}: it is the file of a register. Restore what "
            "`enrol backup` wrote.",
        )
    state = schema_state(source)
    check_state(source, state, expected=(SchemaState.CURRENT, SchemaState.OUTDATED))
    if state is SchemaState.CURRENT:
        inspect_backup(source)


def _check_nothing_there(path: Path) -> None:
    """Refuse to take the place of a register, or of its log, which SQLite would believe."""
    if path.exists() or _holds_changes(path):
        raise ConfigurationError(
            "register_exists",
            f"{path}, or its log {path.name}-wal, exists. With --replace what is there is set "
            "aside under another name first.",
        )


def _holds_changes(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _bring_up_to_date(draft: Path) -> None:
    """Bring a copy up to the schema of this version; nobody else knows of it."""
    if schema_state(draft) is SchemaState.CURRENT:
        return
    from enrol.adapters.migration import migrate  # noqa: PLC0415 - it takes time to be read

    migrate(draft)
    Path(f"{draft}.lock").unlink()
    with closing(sqlite3.connect(draft)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _set_aside(path: Path, end: str) -> Path | None:
    """Give what is there of a register another name; the file goes first, and its log with it.

    Where this ends between the two, no server starts: the file is missing.
    """
    there = [part for part in _PARTS if Path(f"{path}{part}").exists()]
    kept = path.with_name(f"{path.name}.{end}")
    if kept.exists():
        raise FileExistsError(kept)
    for part in there:
        Path(f"{path}{part}").rename(f"{kept}{part}")
    sync(path.parent)
    return kept if there else None
