"""A database is a register only where nothing acknowledged can be lost in it, or changed."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from cluster import OWNER, SERVER, Cluster, Database, running_cluster
from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.connection import WaitingConnection
from enrol.adapters.postgres.database import open_to_read, open_to_write
from enrol.errors import ConfigurationError


@pytest.fixture
def database(migrated: Database) -> Database:
    migrated.empty()
    return migrated


def refusal(url: str) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as refused:
        open_to_write(PostgresUrl(url)).close()
    assert "enrol_server:" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
    return refused.value


def other_database(url: str, name: str) -> str:
    return url.rpartition("/")[0] + f"/{name}"


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


def test_a_role_that_commits_before_the_disk_has_it_is_refused(database, cluster):
    cluster.sql(f"ALTER ROLE {SERVER} SET synchronous_commit = off")
    try:
        refused = refusal(database.server_url)
    finally:
        cluster.sql(f"ALTER ROLE {SERVER} RESET synchronous_commit")
    assert refused.code == "database_settings"
    assert "synchronous_commit is off" in str(refused)


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


def test_text_must_be_in_the_order_of_bytes(cluster):
    sorted_otherwise = cluster.create_register("LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
    refused = refusal(sorted_otherwise.server_url)
    assert refused.code == "database_settings"
    assert "--locale=C.UTF-8" in str(refused)


@pytest.mark.parametrize(
    ("grant", "revoke"),
    [
        (f"GRANT {OWNER} TO {SERVER}", f"REVOKE {OWNER} FROM {SERVER}"),
        (f"ALTER ROLE {SERVER} SUPERUSER", f"ALTER ROLE {SERVER} NOSUPERUSER"),
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


def test_a_role_that_may_make_tables_does_not_serve(database):
    database.rows(f"GRANT CREATE ON SCHEMA public TO {SERVER}")
    try:
        assert refusal(database.server_url).code == "database_rights"
    finally:
        database.rows(f"REVOKE CREATE ON SCHEMA public FROM {SERVER}")


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


def test_a_command_that_reads_cannot_write(database):
    with open_to_read(PostgresUrl(database.server_url)) as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            connection.execute("DELETE FROM access_tokens")


def test_a_place_is_shown_without_user_and_password():
    several = PostgresUrl("postgresql://enrol:hunter2@one.test:5433,two.test/enrol?sslmode=require")
    assert str(several) == "postgresql://one.test:5433,two.test/enrol"
    assert "hunter2" not in repr(several)
