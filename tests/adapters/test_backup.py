"""Backups of a SQLite register: what is copied, what may become one, and what is left alone."""

import asyncio
import shutil
import sqlite3
from collections import namedtuple
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command

from adapters.test_migration import run as run_alembic
from adapters.trails import review
from adapters.values import AT, creation
from enrol.adapters import backup
from enrol.adapters.backup import back_up
from enrol.adapters.inventory import Inventory
from enrol.adapters.restore import restore, restored_in_place
from enrol.adapters.restoring import Occasion, Restoration
from enrol.adapters.seen_head import check_not_rolled_back, write_seen_head
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.tables import REVISIONS
from enrol.adapters.trail import open_trail
from enrol.errors import ConfigurationError
from enrol.registration.audit import EventType
from enrol.registration.restored import SKIPPED
from enrol.registration.review import FaultKind

BEFORE, AFTER, UNTIL_KILLED = 3, 2, 50
RESTORED = EventType.REGISTER_RESTORED.value
Usage = namedtuple("Usage", "free")


async def add(path: Path, *numbers: int, **options: Any) -> None:
    store = open_sqlite(path, **options)
    for number in numbers:
        await store.clients.commit(creation(number))
    await store.aclose()


def copy(path: Path, target: Path) -> Inventory:
    return back_up(path, target, progress=lambda *_: None)


def clients(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM clients").fetchone()[0])


def seen(path: Path) -> Path:
    return path.with_name("enrol.db.head")


def restored(source: Path, path: Path, *, replace: bool = True) -> Restoration:
    return restore(source, path, Occasion("root", AT, seen(path)), replace=replace)


def refusal(source: Path, path: Path, *, replace: bool = True) -> str:
    with pytest.raises(ConfigurationError) as refused:
        restored(source, path, replace=replace)
    return refused.value.code


@pytest.fixture
def kept(path: Path, tmp_path: Path) -> Path:
    """A backup of a register that went on and has two clients more since."""
    asyncio.run(add(path, *range(BEFORE)))
    target = tmp_path / "kept"
    copy(path, target)
    asyncio.run(add(path, *range(BEFORE, BEFORE + AFTER)))
    return target


@pytest.fixture
async def killed(kept: Path, path: Path) -> Path:
    """That register as it is on disk once its server was killed: half of it is in the log."""
    crashed = path.with_name("crashed") / path.name
    crashed.parent.mkdir()
    store = open_sqlite(path)
    for number in range(10, 10 + UNTIL_KILLED):
        await store.clients.commit(creation(number))
    for part in ("", "-wal"):
        shutil.copyfile(f"{path}{part}", f"{crashed}{part}")
    await store.aclose()
    return crashed


def test_a_copy_is_one_file_of_the_owner_with_what_was_there(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
    assert clients(kept) == BEFORE
    assert [each.name for each in kept.parent.glob("*kept*")] == ["kept"]


def test_what_is_counted_in_a_copy_is_what_is_in_the_register(path: Path, tmp_path: Path) -> None:
    asyncio.run(add(path, 1, 2))
    held = copy(path, tmp_path / "kept")
    assert (held.rows["clients"], held.head.id) == (2, 2)


def test_a_copy_that_would_fill_the_disk_is_not_begun(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _: Usage(path.stat().st_size))
    with pytest.raises(ConfigurationError, match="no room") as refused:
        copy(path, tmp_path / "kept")
    assert refused.value.code == "backup_no_room"
    assert list(tmp_path.glob("*kept*")) == []


def test_a_log_that_was_left_behind_is_not_laid_over_what_is_restored(
    killed: Path, kept: Path
) -> None:
    killed.unlink()
    assert refusal(kept, killed, replace=False) == "register_exists"
    assert Path(f"{killed}-wal").exists()
    aside = restored(kept, killed).aside
    assert clients(killed) == BEFORE
    assert not Path(f"{killed}-wal").exists()
    assert Path(f"{aside}-wal").stat().st_size > 0


def test_what_is_set_aside_has_its_log(killed: Path, kept: Path) -> None:
    aside = restored(kept, killed).aside
    assert aside is not None
    assert aside.name == "enrol.db.20261124T123015Z"
    assert (clients(killed), clients(aside)) == (BEFORE, BEFORE + AFTER + UNTIL_KILLED)


def test_nothing_that_was_set_aside_is_overwritten(kept: Path, path: Path) -> None:
    restored(kept, path)
    assert refusal(kept, path) == "backup_exists"
    assert clients(path) == BEFORE


def test_a_register_stays_where_the_copy_cannot_be_written(
    kept: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_up(_: Path, target: Path) -> None:
        target.write_bytes(b"as far as it went")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup.shutil, "copyfile", fill_up)
    assert refusal(kept, path) == "backup_unwritable"
    assert clients(path) == BEFORE + AFTER
    assert list(path.parent.glob("*restored*")) == []


def test_a_backup_of_an_older_version_is_brought_up_to_date(kept: Path, path: Path) -> None:
    run_alembic(kept, command.downgrade, REVISIONS[-2])
    held = restored(kept, path).held
    assert held.rows["clients"] == BEFORE
    asyncio.run(add(path, 70))
    assert sorted(each.name for each in path.parent.glob("*restored*")) == []


def test_what_this_version_does_not_know_is_refused(kept: Path, path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(kept)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert refusal(kept, path) == "database_unknown"
    with closing(sqlite3.connect(tmp_path / "other")) as connection, connection:
        connection.execute("CREATE TABLE other (id)")
    assert refusal(tmp_path / "other", path) == "database_foreign"
    assert refusal(tmp_path / "none", path) == "database_missing"
    assert clients(path) == BEFORE + AFTER


def test_the_file_of_a_register_is_no_backup_without_its_log(killed: Path, path: Path) -> None:
    changes = Path(f"{killed}-wal").read_bytes()
    assert refusal(killed, path) == "backup_incomplete"
    assert Path(f"{killed}-wal").read_bytes() == changes


# A register that is older than it was


def events(path: Path) -> list[tuple[int, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT id, type FROM audit_events ORDER BY id").fetchall()


def see(path: Path) -> None:
    """Have the machine see how far the audit trail has come."""
    with open_trail(path) as trail:
        write_seen_head(seen(path), trail.head)


def believed(path: Path) -> bool:
    try:
        check_not_rolled_back(path, seen(path))
    except ConfigurationError as exc:
        return exc.code != "register_rolled_back"
    return True


def test_no_number_of_an_event_is_given_twice(kept: Path, path: Path) -> None:
    done = restored(kept, path)
    number = BEFORE + AFTER + SKIPPED + 1
    assert (done.held.head.id, done.head.id) == (BEFORE, number)
    asyncio.run(add(path, 70))
    assert events(path)[BEFORE:] == [(number, RESTORED), (number + 1, "client.registered")]
    found = review(path)
    assert (found.wrong, found.restored) == (0, [number])


def test_what_a_register_that_cannot_be_read_had_come_to_is_known_by_what_was_seen(
    kept: Path, path: Path
) -> None:
    see(path)
    path.write_bytes(b"damaged")
    assert restored(kept, path).head.id == BEFORE + AFTER + SKIPPED + 1


def test_a_register_that_is_older_than_it_was_is_not_believed(kept: Path, path: Path) -> None:
    assert believed(path)
    see(path)
    assert believed(path)
    shutil.copyfile(kept, path)
    assert not believed(path)
    asyncio.run(add(path, *range(70, 80)))
    assert not believed(path), "numbers that it had are given again"


def test_a_register_that_was_restored_is_believed_again(kept: Path, path: Path) -> None:
    see(path)
    shutil.copyfile(kept, path)
    done = restored_in_place(path, Occasion("root", AT, seen(path)))
    assert done.head.id == BEFORE + AFTER + SKIPPED + 1
    assert believed(path)
    asyncio.run(add(path, 70))
    assert believed(path)
    assert review(path).wrong == 0


def test_another_machine_takes_its_word_for_it(kept: Path, path: Path) -> None:
    see(path)
    elsewhere = seen(path).read_bytes()
    restored(kept, path)
    seen(path).write_bytes(elsewhere)
    assert believed(path)


def test_events_that_are_missing_elsewhere_are_missed(kept: Path, path: Path) -> None:
    restored(kept, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM audit_events WHERE id = ?", (BEFORE,))
    assert [fault.kind for fault in review(path).faults] == [FaultKind.EVENT_CHANGED]


def test_a_note_of_what_was_seen_that_cannot_be_read_is_not_passed_over(path: Path) -> None:
    seen(path).write_bytes(b"")
    with pytest.raises(ConfigurationError) as refused:
        check_not_rolled_back(path, seen(path))
    assert refused.value.code == "seen_head_unreadable"
