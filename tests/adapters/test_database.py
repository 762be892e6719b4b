"""A register is opened durably, by one process, or not at all."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from enrol.adapters.database import (
    READER_PATIENCE,
    SchemaState,
    open_database,
    schema_state,
)
from enrol.adapters.migration import migrate
from enrol.errors import ConfigurationError

DURABLE = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "mmap_size": 0,
    "trusted_schema": 0,
    "secure_delete": 1,
}


@pytest.fixture
def database(path):
    opened = open_database(path)
    yield opened
    opened.close()


@pytest.mark.parametrize(("setting", "value"), DURABLE.items(), ids=list(DURABLE))
def test_settings_that_durability_rests_on_hold_on_both_connections(database, setting, value):
    for connection in (database.writer, database.reader):
        assert connection.execute(f"PRAGMA {setting}").fetchone() == (value,)


def test_writer_waits_for_locks_and_reader_hardly(database):
    assert database.writer.execute("PRAGMA busy_timeout").fetchone() == (5000,)
    assert database.reader.execute("PRAGMA busy_timeout").fetchone() == (READER_PATIENCE * 1000,)


def test_reader_cannot_write(database):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        database.reader.execute("DELETE FROM clients")


def test_closing_leaves_one_whole_file(path):
    open_database(path).close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["enrol.db", "enrol.db.lock"]


def test_second_opening_is_refused_until_the_first_ends(path):
    first = open_database(path)
    with pytest.raises(ConfigurationError, match="in use by another process"):
        open_database(path)
    with pytest.raises(ConfigurationError, match="in use by another process"):
        migrate(path)
    first.close()
    open_database(path).close()


def test_another_process_cannot_open_what_this_one_holds(database, path):
    program = (
        "import sys; from pathlib import Path; from enrol.adapters.database import open_database;"
        "open_database(Path(sys.argv[1]))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert other.returncode == 1
    assert "ConfigurationError: " in other.stderr
    assert "is in use by another process" in other.stderr


def test_a_link_to_the_file_shares_its_lock(database, path):
    link = path.with_name("link.db")
    link.symlink_to(path)
    with pytest.raises(ConfigurationError, match="in use"):
        open_database(link)


def test_missing_register_is_refused_and_not_made(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist") as refused:
        open_database(tmp_path / "enrol.db")
    assert refused.value.code == "database_missing"
    assert not (tmp_path / "enrol.db").exists()


def _empty(path):
    path.write_bytes(b"")


def _text(path):
    path.write_bytes(b"this is no database, whatever its name says\n" * 400)


def _foreign(path):
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE notes (text)")


def _newer(path):
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")


def _older(path):
    with closing(sqlite3.connect(path)) as older, older:
        older.execute("DELETE FROM alembic_version")


def _damaged(path):
    with closing(sqlite3.connect(path)) as opened:
        (root,) = opened.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'clients'"
        ).fetchone()
        (size,) = opened.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)


def _cut(path):
    os.truncate(path, path.stat().st_size // 2)


def _folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        pytest.param(_empty, "database_empty", id="empty file"),
        pytest.param(_text, "database_corrupt", id="no database"),
        pytest.param(_foreign, "database_foreign", id="of another program"),
        pytest.param(_newer, "database_unknown", id="of a newer version"),
        pytest.param(_older, "database_outdated", id="of an older version"),
        pytest.param(_damaged, "database_corrupt", id="damaged page"),
        pytest.param(_cut, "database_corrupt", id="cut in half"),
        pytest.param(_folder, "database_unusable", id="a folder"),
    ],
)
def test_what_is_no_current_register_is_refused_and_left_alone(path, harm, code):
    harm(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ConfigurationError) as refused:
        open_database(path)
    assert refused.value.code == code
    assert str(path) in refused.value.detail
    if path.is_file():
        assert path.read_bytes() == before
    with pytest.raises(ConfigurationError):  # the lock was given back
        open_database(path)


def test_setting_that_does_not_hold_is_refused(path, monkeypatch):
    monkeypatch.setattr("enrol.adapters.database._SETTINGS", {"synchronous": 7})
    with pytest.raises(ConfigurationError) as refused:
        open_database(path)
    assert refused.value.code == "database_settings"


def test_migrate_makes_a_register_for_its_owner_only(tmp_path):
    path = tmp_path / "new.db"
    assert schema_state(path) is SchemaState.MISSING
    migrate(path)
    assert schema_state(path) is SchemaState.CURRENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(file.name for file in tmp_path.iterdir()) == ["new.db", "new.db.lock"]
