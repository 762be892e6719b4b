"""Copies of a SQLite register, made beside its server, and registers made of copies."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from enrol.adapters.database import (
    SchemaState,
    acquire_lock,
    check_state,
    connect_to_read,
    schema_state,
    translated,
)
from enrol.adapters.files import new_file, sync
from enrol.adapters.inventory import Inventory, take_inventory
from enrol.adapters.view import open_view
from enrol.errors import ConfigurationError

_PAGES: Final = 4096
_PARTS: Final = ("", "-wal", "-shm")
_ROOM: Final = 1.1
"""How much must be free where a copy of 1 is to be."""

Progress = Callable[[int, int], object]
"""Is told how many pages are done, and how many there are."""


def back_up(path: Path, target: Path, *, progress: Progress) -> Inventory:
    """Copy the register at `path` as it is now into a new file, and count what is in that.

    Requests go on meanwhile. Raises `ConfigurationError` where the register cannot be read, the
    copy cannot be written, is there already or does not hold together.
    """
    with written(target), new_file(target) as draft:
        with closing(connect_to_read(path)) as source, closing(sqlite3.connect(draft)) as copy:
            with translated(path):
                source.execute("BEGIN")  # else each change would begin the copy anew
                source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
                _check_room(source, target)

            def told(_status: int, remaining: int, total: int) -> None:
                progress(total - remaining, total)

            source.backup(copy, pages=_PAGES, progress=told, sleep=0)
            copy.execute("PRAGMA journal_mode=DELETE")  # a backup is one file
        return inspect_backup(draft)


def _check_room(source: sqlite3.Connection, target: Path) -> None:
    """Refuse a copy that would fill the disk, which may be the one that the server writes to."""
    (size,) = source.execute(
        "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    ).fetchone()
    if shutil.disk_usage(target.parent).free < size * _ROOM:
        raise ConfigurationError(
            "backup_no_room", f"{target.parent} has no room for {size:,} octets, and some to spare."
        )


def inspect_backup(path: Path) -> Inventory:
    """Check that a backup holds together, and count what is in it; raises `ConfigurationError`."""
    with closing(connect_to_read(path)) as connection, translated(path):
        (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        foreign = connection.execute("PRAGMA foreign_key_check").fetchone()
    if verdict != "ok" or foreign is not None:
        raise ConfigurationError("backup_damaged", f"{path} is damaged; use another backup.")
    with open_view(path) as view:
        return take_inventory(view)


def restore(
    source: Path, path: Path, *, at: datetime, replace: bool
) -> tuple[Inventory, Path | None]:
    """Make the register at `path` of a backup; return what it holds, and where the old one is.

    With `replace` a register that is there is kept under another name, which has the time `at`. A
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
            kept = _set_aside(path, at)  # (3)
            fresh.rename(path)  # (4)
            sync(path.parent)
        finally:
            fresh.unlink(missing_ok=True)
    with open_view(path) as view:
        if take_inventory(view) != held:
            raise ConfigurationError("backup_damaged", f"{path} is not what {source} was.")
    return held, kept


def _check_backup(source: Path) -> None:
    """Refuse what is no backup of a version that is known, damaged, or a register in use."""
    state = schema_state(source)
    check_state(source, state, expected=(SchemaState.CURRENT, SchemaState.OUTDATED))
    if _holds_changes(source):
        raise ConfigurationError(
            "backup_incomplete",
            f"{source}-wal holds changes of {source}: it is the file of a register. Restore what "
            "`enrol backup` wrote.",
        )
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


def _set_aside(path: Path, at: datetime) -> Path | None:
    """Give what is there of a register another name; the file goes first, and its log with it.

    Where this ends between the two, no server starts: the file is missing.
    """
    there = [part for part in _PARTS if Path(f"{path}{part}").exists()]
    kept = path.with_name(f"{path.name}.{at:%Y%m%dT%H%M%SZ}")
    if kept.exists():
        raise FileExistsError(kept)
    for part in there:
        Path(f"{path}{part}").rename(f"{kept}{part}")
    sync(path.parent)
    return kept if there else None


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn what the operating system says of a file into words for the operator."""
    try:
        yield
    except FileExistsError as exc:
        raise ConfigurationError(
            "backup_exists", f"{path} exists; nothing is overwritten."
        ) from exc
    except (OSError, sqlite3.Error) as exc:
        raise ConfigurationError(
            "backup_unwritable", f"{path} cannot be written; has the disk room?"
        ) from exc
