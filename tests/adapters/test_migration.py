"""A register is made whole, and brought up to date in one step."""

import sqlite3
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from adapters.trails import review
from adapters.values import creation, refusal
from enrol.adapters import migration
from enrol.adapters.database import open_database
from enrol.adapters.migration import alembic_config, migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.tables import REVISIONS, metadata
from enrol.errors import ConfigurationError
from enrol.registration.review import FaultKind


def schema(path):
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name")
        return rows.fetchall()


def run(path, step, revision):
    """Run Alembic's `step` (upgrade or downgrade) to a revision."""
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        step(config, revision)


def test_revisions_named_in_the_code_are_those_of_the_scripts():
    scripts = ScriptDirectory.from_config(alembic_config())
    assert scripts.get_heads() == [REVISIONS[-1]]
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS


def test_scripts_make_the_tables_that_the_code_describes(path):
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_scripts_make_what_the_tables_would_make_themselves(path, tmp_path):
    direct = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{direct}", poolclass=NullPool)
    metadata.create_all(engine)
    made = [
        (kind, name, "".join(sql.split()) if sql else None)
        for kind, name, sql in schema(path)
        if "alembic" not in name
    ]
    assert sorted(made) == sorted(
        (kind, name, "".join(sql.split()) if sql else None) for kind, name, sql in schema(direct)
    )


def test_every_revision_goes_down_and_up_again(path):
    before = schema(path)
    run(path, command.downgrade, "base")
    assert [name for _, name, _ in schema(path) if "alembic" not in name] == ["sqlite_sequence"]
    migrate(path)
    assert [row[:2] for row in schema(path)] == [row[:2] for row in before]


@pytest.fixture
async def first_schema(path):
    """A register of revision 0001 with more events than are copied at once."""
    store = open_sqlite(path)
    for number in range(1, 1101):
        store.audit.note(refusal(number))
        if number % 500 == 0:
            await store.clients.commit(creation(number))
    await store.aclose()
    run(path, command.downgrade, "0001")
    return path


def events(path):
    columns = "id, at, type, code, organization_identifier, client_id, request_id, evidence"
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT {columns} FROM audit_events ORDER BY id").fetchall()


def test_events_of_the_first_schema_are_chained(first_schema):
    before = events(first_schema)
    assert len(before) == 1102
    migrate(first_schema)
    assert events(first_schema) == before
    result = review(first_schema)
    assert (result.wrong, result.events, result.head.id) == (0, 1102, 1102)


async def test_trail_goes_on_after_the_events_of_the_first_schema(first_schema):
    migrate(first_schema)
    store = open_sqlite(first_schema)
    await store.clients.commit(creation(7))
    await store.aclose()
    assert (review(first_schema).wrong, review(first_schema).head.id) == (0, 1103)


def test_event_missing_before_the_migration_is_missing_after_it(first_schema):
    with closing(sqlite3.connect(first_schema)) as connection, connection:
        connection.execute("DELETE FROM audit_events WHERE id IN (30, 1102)")
    migrate(first_schema)
    faults = [(fault.kind, fault.detail) for fault in review(first_schema).faults]
    assert faults == [(FaultKind.EVENTS_MISSING, "30-30"), (FaultKind.TAIL_MISSING, "1102-1102")]


def test_going_down_and_up_leaves_the_chain_as_it_was(first_schema):
    migrate(first_schema)
    head = review(first_schema).head
    run(first_schema, command.downgrade, "0001")
    assert not {"evidence_blobs"} & {name for _, name, _ in schema(first_schema)}
    migrate(first_schema)
    assert review(first_schema).head == head


async def test_migrate_leaves_a_current_register_as_it_is(path):
    store = open_sqlite(path)
    await store.clients.commit(creation(1))
    await store.aclose()
    before = path.read_bytes()
    migrate(path)
    assert path.read_bytes() == before


def test_migrate_makes_nothing_when_told_so(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        migrate(tmp_path / "enrol.db", create=False)
    assert not (tmp_path / "enrol.db").exists()


def test_register_that_was_not_finished_is_begun_anew(tmp_path, monkeypatch):
    path = tmp_path / "enrol.db"
    with monkeypatch.context() as patch:
        patch.setattr(migration.command, "upgrade", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            migrate(path)
    assert not path.exists()
    migrate(path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["enrol.db", "enrol.db.lock"]


class CommitFails(sqlite3.Connection):
    def commit(self):
        raise sqlite3.OperationalError("database or disk is full")


class CheckpointFails(sqlite3.Connection):
    def execute(self, statement, *parameters):
        if "wal_checkpoint" in statement:
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(statement, *parameters)


@pytest.mark.parametrize("connection", [CommitFails, CheckpointFails])
def test_disk_that_fails_while_a_register_is_made_leaves_none(tmp_path, monkeypatch, connection):
    path = tmp_path / "enrol.db"

    def connect(draft, **_options):
        return sqlite3.connect(draft, isolation_level=None, factory=connection)

    with monkeypatch.context() as patch:
        patch.setattr(migration, "connect", connect)
        with pytest.raises(ConfigurationError) as refused:
            migrate(path)
    assert refused.value.code == "database_unusable"
    assert not path.exists()
    migrate(path)
    open_database(path).close()


def test_failing_upgrade_changes_nothing(path, monkeypatch):
    run(path, command.downgrade, "base")
    before = schema(path)
    complete = migration.command.upgrade

    def upgrade_and_fail(*arguments):
        complete(*arguments)
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(migration.command, "upgrade", upgrade_and_fail)
        with pytest.raises(ZeroDivisionError):
            migrate(path)
    assert schema(path) == before


def test_no_register_is_begun_beside_the_log_of_a_lost_one(tmp_path):
    (tmp_path / "enrol.db-wal").write_bytes(b"changes that were acknowledged")
    with pytest.raises(ConfigurationError, match="restore both"):
        migrate(tmp_path / "enrol.db")


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "database_empty"), (b"text " * 2000, "database_corrupt")]
)
def test_migrate_never_takes_over_another_file(tmp_path, content, code):
    path = tmp_path / "enrol.db"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        migrate(path)
    assert refused.value.code == code
    assert path.read_bytes() == content


def test_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match="nowhere"):
        migrate(tmp_path / "nowhere" / "enrol.db")
