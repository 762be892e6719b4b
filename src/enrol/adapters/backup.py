"""Copies of a SQLite register, made beside its server and checked."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from enrol.adapters.database import connect_to_read, translated
from enrol.adapters.files import new_file
from enrol.adapters.inventory import Inventory, take_inventory
from enrol.adapters.view import open_view
from enrol.errors import ConfigurationError

_PAGES: Final = 4096
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
