"""A database is a register only where nothing acknowledged can be lost in it, or changed."""

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from cluster import GUARDED, OWNER, PASSWORD, SERVER, Cluster, Database, running_cluster
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import WaitingConnection
from enrol.adapters.postgres.database import open_to_read, open_to_write
from enrol.errors import ConfigurationError


@pytest.fixture
def database(migrated: Database) -> Database:
    """A register, whatever stands in it."""
    return migrated


def refusal(url: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        open_to_write(PostgresUrl(url)).close()
    assert "enrol_server:" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    return refused.value


def other_database(url: str, name: str) -> str:
    return url.rpartition("/")[0] + f"/{name}"


def name_of(database: Database) -> str:
    return urlsplit(database.owner_url).path[1:]


def with_password(url: str) -> str:
    return url.replace("@", ":hunter2@")


def test_a_register_is_opened(database):
    open_to_write(PostgresUrl(database.server_url)).close()
    open_to_read(PostgresUrl(database.server_url)).close()


def test_where_no_server_is_none_is_used(database):
    url = urlsplit(with_password(database.server_url))
    nobody = f"postgresql://{url.username}:{url.password}@127.0.0.1:1{url.path}"
    assert refusal(nobody).code == "database_unusable"


def test_a_database_that_is_missing_is_said_to_be(database):
    missing = other_database(with_password(database.server_url), "nowhere")
    assert refusal(missing).code == "database_unusable"


def test_a_role_that_is_unknown_is_not_let_in(database):
    stranger = database.server_url.replace(SERVER, "stranger")
    assert refusal(stranger).code == "database_unusable"


def test_a_wrong_password_is_not_told_from_a_wrong_role(database):
    wrong = database.server_url.replace(SERVER, f"{GUARDED}:hunter2")
    refused = refusal(wrong)
    assert refused.code == "database_unusable"
    assert "does not let this role in" in str(refused)


def test_a_role_that_no_migration_named_is_told_what_to_do(database):
    other = database.server_url.replace(SERVER, f"{GUARDED}:{quote(PASSWORD)}")
    refused = refusal(other)
    assert refused.code == "database_rights"
    assert "run `enrol migrate`" in str(refused)
    assert quote(PASSWORD) not in str(refused)


def test_a_database_without_tables_is_to_be_migrated(cluster):
    empty = refusal(cluster.create().server_url)
    assert empty.code == "database_empty"
    assert "enrol migrate" in str(empty)


def test_the_database_of_another_program_is_left_alone(cluster):
    other = cluster.create()
    other.rows("CREATE TABLE accounts (number INTEGER)")
    assert refusal(other.server_url).code == "database_foreign"


@pytest.mark.parametrize(
    ("revision", "code"), [("0004", "database_outdated"), ("9999", "database_unknown")]
)
def test_another_schema_is_not_used(database, revision, code):
    (current,) = database.rows("SELECT version_num FROM alembic_version")
    database.rows("UPDATE alembic_version SET version_num = ?", revision)
    try:
        assert refusal(database.server_url).code == code
    finally:
        database.rows("UPDATE alembic_version SET version_num = ?", current[0])


@pytest.mark.parametrize("of", ["ROLE", "DATABASE"])
def test_a_role_that_commits_before_the_disk_has_it_is_refused(database, cluster, of):
    what = (
        f"ROLE {SERVER}" if of == "ROLE" else f"DATABASE {urlsplit(database.server_url).path[1:]}"
    )
    with cluster.altered(what, "SET synchronous_commit = off", "RESET synchronous_commit"):
        refused = refusal(database.server_url)
    assert refused.code == "database_settings"
    assert "synchronous_commit is off" in str(refused)
    assert "set it to on" in str(refused)


@pytest.fixture(scope="module")
def careless() -> Iterator[Cluster]:
    """A server that may lose what it said was durable."""
    with running_cluster() as cluster:
        yield cluster


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_what_it_committed_is_refused(careless, setting):
    register = careless.create_register()
    careless.stop()
    careless.start(**{setting: "off"})
    refused = refusal(register.server_url)
    assert refused.code == "database_settings"
    assert f"{setting} is off" in str(refused)


@pytest.mark.parametrize(
    "locale", ["LOCALE_PROVIDER icu ICU_LOCALE 'en-US'", "LOCALE 'C' ENCODING 'LATIN1'"]
)
def test_text_must_be_utf_8_in_the_order_of_bytes(cluster, locale):
    refused = refusal(cluster.create_register(locale).server_url)
    assert refused.code == "database_settings"
    assert "--encoding=UTF8 --locale=C.UTF-8" in str(refused)


@pytest.mark.parametrize(
    ("grant", "revoke"),
    [
        (f"GRANT {OWNER} TO {SERVER}", f"REVOKE {OWNER} FROM {SERVER}"),
        (f"ALTER ROLE {SERVER} SUPERUSER", f"ALTER ROLE {SERVER} NOSUPERUSER"),
        (f"ALTER ROLE {SERVER} CREATEROLE", f"ALTER ROLE {SERVER} NOCREATEROLE"),
    ],
)
def test_a_role_that_may_change_tables_is_refused(database, cluster, grant, revoke):
    cluster.sql(grant)
    try:
        refused = refusal(database.server_url)
    finally:
        cluster.sql(revoke)
    assert refused.code == "database_rights"
    assert "storage.migration_url" in str(refused)


def test_who_owns_the_tables_does_not_serve(database):
    assert refusal(database.owner_url).code == "database_rights"


@pytest.mark.parametrize("where", ["SCHEMA public", "DATABASE {}"])
def test_a_role_that_may_make_tables_does_not_serve(database, where):
    where = where.format(name_of(database))
    database.rows(f"GRANT CREATE ON {where} TO {SERVER}")
    try:
        assert refusal(database.server_url).code == "database_rights"
    finally:
        database.rows(f"REVOKE CREATE ON {where} FROM {SERVER}")


@pytest.mark.parametrize(
    "right",
    [
        "UPDATE ON audit_events",
        "UPDATE (content) ON evidence_blobs",
        "DELETE ON client_history",
        "TRUNCATE ON audit_events",
        "TRIGGER ON audit_events",
        "UPDATE ON audit_last",
    ],
)
def test_a_role_that_may_change_what_is_written_once_does_not_serve(database, right):
    database.rows(f"GRANT {right} TO {SERVER}")
    try:
        refused = refusal(database.server_url)
    finally:
        database.rows(f"REVOKE {right} FROM {SERVER}")
    assert refused.code == "database_rights"
    assert "audit_events" in str(refused)


def test_a_role_that_writes_every_table_does_not_serve(database, cluster):
    cluster.sql(f"GRANT pg_write_all_data TO {SERVER}")
    try:
        assert refusal(database.server_url).code == "database_rights"
    finally:
        cluster.sql(f"REVOKE pg_write_all_data FROM {SERVER}")


@pytest.mark.parametrize("table", ["audit_events", "evidence_blobs", "client_history"])
@pytest.mark.parametrize("words", ["DELETE FROM {}", "UPDATE {} SET {}", "TRUNCATE {}"])
def test_the_server_cannot_change_what_was_written_down(database, table, words):
    column = {"evidence_blobs": "content = ''", "audit_events": "type = ''"}.get(table, "removed=0")
    with WaitingConnection(database.server_url) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            connection.execute(words.format(table, column))


@pytest.mark.parametrize(
    "words", ["CREATE TABLE mine (n INTEGER)", "DROP TABLE ledger", "UPDATE audit_last SET id = 0"]
)
def test_the_server_can_neither_make_nor_drop_anything(database, words):
    with WaitingConnection(database.server_url) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            connection.execute(words)


def test_a_table_of_the_session_does_not_hide_the_last_event(database):
    database.empty()
    with WaitingConnection(database.server_url) as connection:
        connection.execute("CREATE TEMPORARY TABLE audit_last AS SELECT 0::bigint AS id")
        connection.execute("GRANT ALL ON audit_last TO PUBLIC")
        connection.execute(
            "INSERT INTO audit_events (id, at, type, evidence, hash) VALUES (1, 0, '', '', '')"
        )
    assert database.rows("SELECT id FROM audit_last") == [(1,)]


def test_a_command_that_reads_cannot_write(database):
    with open_to_read(PostgresUrl(database.server_url)) as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            connection.execute("DELETE FROM access_tokens")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (
            "postgresql://enrol:hunter2@one.test:5433,two.test/enrol?sslmode=require",
            "postgresql://one.test:5433,two.test/enrol",
        ),
        (
            "postgresql://enrol:hunter2@[::1]:5433,[::2]/enrol",
            "postgresql://[::1]:5433,[::2]/enrol",
        ),
        ("postgresql:///enrol?host=/run/postgresql&password=hunter2", "postgresql:///enrol"),
        ("postgresql://enrol:hunter2/x@one.test/enrol", "PostgreSQL"),
        ("postgresql://enrol:hunter2?x@one.test/enrol", "PostgreSQL"),
        ("postgresql://enrol:hunter2#x@one.test/enrol", "PostgreSQL"),
        ("postgresql://enrol:a@hunter2@one.test/enrol", "PostgreSQL"),
        ("postgresql://one.test/enrol?password=a@hunter2", "PostgreSQL"),
    ],
)
def test_a_place_is_shown_without_user_and_password(url, shown):
    assert str(PostgresUrl(url)) == shown
    assert "hunter2" not in repr(PostgresUrl(url))
