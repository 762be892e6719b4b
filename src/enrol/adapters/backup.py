"""Copies of a SQLite register, made beside its server, and registers made of copies."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from enrol.adapters.database import acquire_lock, connect_to_read, translated
from enrol.adapters.files import new_file, sync
from enrol.adapters.inventory import Inventory, take_inventory
from enrol.adapters.view import open_view
from enrol.errors import ConfigurationError

_PAGES: Final = 4096
_PARTS: Final = ("", "-wal", "-shm")

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

            def told(_status: int, remaining: int, total: int) -> None:
                progress(total - remaining, total)

            source.backup(copy, pages=_PAGES, progress=told, sleep=0)
            copy.execute("PRAGMA journal_mode=DELETE")  # a backup is one file
        return inspect_backup(draft)


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

    With `replace` a register that is there is kept under another name, which has the time `at`.
    Raises `ConfigurationError`, also while a server has the register.
    """
    held = inspect_backup(source)
    path = path.resolve()
    with acquire_lock(path), written(path):
        if path.exists() and not replace:
            raise ConfigurationError(
                "register_exists",
                f"{path} exists. With --replace it is set aside under another name first.",
            )
        kept = _set_aside(path, at) if path.exists() else None
        with new_file(path) as draft:
            shutil.copyfile(source, draft)
    if inspect_backup(path) != held:
        raise ConfigurationError("backup_damaged", f"{path} is not what {source} was; try again.")
    return held, kept


def _set_aside(path: Path, at: datetime) -> Path:
    """Give a register another name, with the log that belongs to it."""
    kept = path.with_name(f"{path.name}.{at:%Y%m%dT%H%M%SZ}")
    for part in _PARTS:
        source = Path(f"{path}{part}")
        if source.exists():
            source.rename(f"{kept}{part}")
    sync(path.parent)
    return kept


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
