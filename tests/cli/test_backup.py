"""``enrol backup`` and ``restore``: what is in a copy, and what is refused."""

import asyncio
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters.values import creation
from cli.test_admin import fill
from cli.test_postgres import settings_of
from cluster import Cluster, Database
from enrol.adapters.location import Location, PostgresUrl
from enrol.adapters.migration import migrate
from enrol.adapters.opening import open_register
from enrol.adapters.seen_head import write_seen_head
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import StoreSettings
from enrol.cli.main import app
from enrol.registration.audit import EventType
from enrol.registration.chain import Head

Run = Callable[..., Result]
RESTORED = EventType.REGISTER_RESTORED.value


@pytest.fixture
def folder(sandbox: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sandbox, tmp_path / "bank"))


@pytest.fixture
def run(folder: Path) -> Run:
    def command(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "-c", str(folder / "enrol.toml")])

    return command


@pytest.fixture
def register(folder: Path) -> Path:
    """A register in SQLite with two TPPs and what happened to them."""
    path = folder / "enrol.db"
    migrate(path)
    asyncio.run(fill(path))
    return path


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a register, but for the one that says that it was restored."""
    with closing(sqlite3.connect(path)) as connection:
        names = [n for (n,) in connection.execute("SELECT name FROM sqlite_schema WHERE rootpage")]
        tables = [name for name in names if not name.startswith(("ix_", "sqlite_"))]
        return {
            name: [
                row
                for row in sorted(connection.execute(f"SELECT * FROM {name}"))
                if RESTORED not in row
            ]
            for name in tables
        }


def test_a_register_comes_back_as_it_was(run: Run, register: Path, tmp_path: Path) -> None:
    file, before = tmp_path / "kept", contents(register)
    made = run("backup", str(file), "--json")
    assert made.exit_code == 0, made.stderr
    said = json.loads(made.stdout)
    assert said["rows"]["clients"] == 5
    assert said["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_mode & 0o777 == 0o600
    register.unlink()
    done = run("restore", str(file))
    assert done.exit_code == 0, done.stderr
    assert "enrol audit verify" in done.stdout
    assert contents(register) == before
    assert run("audit", "verify").exit_code == 0


def test_a_server_goes_on_while_it_is_copied(run: Run, register: Path, tmp_path: Path) -> None:
    """What was acknowledged before is in the copy, and the copy is of one moment."""
    begun, enough = threading.Event(), threading.Event()

    async def serve() -> None:
        store = open_sqlite(register)
        number = 100
        while not enough.is_set():
            await store.clients.commit(creation(number))
            number += 1
            if number > 150:
                begun.set()
        await store.aclose()

    server = threading.Thread(target=asyncio.run, args=(serve(),))
    server.start()
    try:
        assert begun.wait(30)
        made = run("backup", str(tmp_path / "kept"), "--json")
    finally:
        enough.set()
        server.join()
    assert made.exit_code == 0, made.stderr
    copied = contents(tmp_path / "kept")
    ids = {row[0] for row in copied["clients"]}
    assert ids >= {f"client-{number}" for number in range(100, 151)}
    assert ids <= {row[0] for row in contents(register)["clients"]}


def test_nothing_is_overwritten_unless_it_is_set_aside(
    run: Run, register: Path, tmp_path: Path
) -> None:
    file = tmp_path / "kept"
    assert run("backup", str(file)).exit_code == 0
    again = run("backup", str(file))
    assert (again.exit_code, "nothing is overwritten" in again.stderr) == (2, True)
    refused = run("restore", str(file))
    assert (refused.exit_code, "--replace" in refused.stderr) == (2, True)
    before = contents(register)
    done = json.loads(run("restore", str(file), "--replace", "--json").stdout)
    assert contents(Path(done["set_aside"])) == before == contents(register)


def test_a_register_that_a_server_has_is_not_replaced(
    run: Run, register: Path, tmp_path: Path
) -> None:
    file = tmp_path / "kept"
    assert run("backup", str(file)).exit_code == 0
    store = open_sqlite(register)
    refused = run("restore", str(file), "--replace", "--json")
    asyncio.run(store.aclose())
    assert refused.exit_code == 2
    assert json.loads(refused.stderr)["error"] == "database_in_use"


@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"no database", lambda _: b""]
)
def test_a_damaged_backup_is_refused_and_the_register_left_alone(
    run: Run, register: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    file, before = tmp_path / "kept", contents(register)
    assert run("backup", str(file)).exit_code == 0
    file.write_bytes(damage(file.read_bytes()))
    assert run("restore", str(file), "--replace").exit_code == 2
    assert contents(register) == before


def test_where_no_register_is_there_is_no_backup(run: Run, tmp_path: Path) -> None:
    refused = run("backup", str(tmp_path / "kept"), "--json")
    assert json.loads(refused.stderr)["error"] == "database_missing"
    assert not (tmp_path / "kept").exists()


def test_what_was_restored_by_other_means_is_gone_on_with(run: Run, register: Path) -> None:
    done = run("restore", "--in-place")
    assert done.exit_code == 0, done.stderr
    assert "It goes on with event 1000010" in done.stdout
    said = run("audit", "verify").stdout
    assert "The trail holds." in said
    assert "restored       from a backup, as event 1000010 says" in said
    event = json.loads(run("audit", "show", "register.restored", "--json").stdout)
    assert event["evidence"]["reached"] == 9


def test_a_register_that_is_told_to_begin_anew_has_no_past(run: Run, register: Path) -> None:
    head = register.with_name("enrol.db.head")
    write_seen_head(head, Head(9, bytes(32)))
    assert run("migrate").exit_code == 0
    assert head.exists()
    register.unlink()
    assert run("migrate").exit_code == 0
    assert not head.exists()


@pytest.mark.parametrize("words", [[], ["--replace"], ["--in-place", "kept"]])
def test_it_is_said_what_to_restore(run: Run, register: Path, words: list[str]) -> None:
    refused = run("restore", *words, "--json")
    assert refused.exit_code == 2
    assert json.loads(refused.stderr)["error"] == "restore_of_nothing"


# PostgreSQL


def in_postgres(monkeypatch: pytest.MonkeyPatch, database: Database, folder: Path) -> None:
    for name, value in settings_of(database, folder).items():
        monkeypatch.setenv(f"ENROL_STORAGE_{name}", value)


def rows(database: Database) -> list[tuple[Any, ...]]:
    return [
        row
        for table in ("clients", "ledger", "audit_events", "client_keys", "client_history")
        for row in database.rows(f"SELECT * FROM {table} ORDER BY 1, 2")
        if RESTORED not in row
    ]


def register_one_more(location: Location, numbers: Iterator[int] = count(77)) -> None:
    store = open_register(location, StoreSettings())

    async def add() -> None:
        await store.clients.commit(creation(next(numbers)))
        await store.aclose()

    asyncio.run(add())


def test_a_register_in_postgres_comes_back_in_an_empty_database(
    run: Run, cluster: Cluster, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = cluster.create_register(), cluster.create()
    asyncio.run(fill(PostgresUrl(first.server_url)))
    in_postgres(monkeypatch, first, folder)
    made = run("backup", str(tmp_path / "kept"), "--json")
    assert made.exit_code == 0, made.stderr
    assert run("restore", str(tmp_path / "kept")).exit_code == 2  # it is not empty
    in_postgres(monkeypatch, second, folder)
    done = run("restore", str(tmp_path / "kept"), "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == json.loads(made.stdout)["rows"]
    assert json.loads(done.stdout)["head"] == json.loads(made.stdout)["head"]
    assert rows(second) == rows(first)
    assert run("audit", "verify").exit_code == 0
    register_one_more(PostgresUrl(second.server_url))
    again = run("restore", "--in-place", "--json")
    register_one_more(PostgresUrl(second.server_url))
    verified = json.loads(run("audit", "verify", "--json").stdout)
    numbers = [json.loads(each.stdout)["goes_on"] for each in (done, again)]
    assert (verified["holds"], verified["restored"]) == (True, numbers)


@pytest.mark.parametrize("damage", [lambda _: b"no dump", lambda dump: dump[:-1000]])
def test_a_damaged_dump_is_refused_and_nothing_restored(
    run: Run,
    cluster: Cluster,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: Callable[[bytes], bytes],
) -> None:
    first, second = cluster.create_register(), cluster.create()
    asyncio.run(fill(PostgresUrl(first.server_url)))
    in_postgres(monkeypatch, first, folder)
    assert run("backup", str(tmp_path / "kept")).exit_code == 0
    dump = (tmp_path / "kept").read_bytes()
    (tmp_path / "kept").write_bytes(damage(dump))
    in_postgres(monkeypatch, second, folder)
    refused = run("restore", str(tmp_path / "kept"), "--json")
    assert json.loads(refused.stderr)["error"] == "backup_failed"
    assert second.rows("SELECT * FROM pg_tables WHERE schemaname = 'public'") == []


def test_programs_are_told_where_in_words_without_a_password(
    run: Run, cluster: Cluster, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$*" >"$0.words"\nenv >"$0.env"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    database = cluster.create_register()
    in_postgres(monkeypatch, database, folder)
    monkeypatch.setenv(
        "ENROL_STORAGE_MIGRATION_URL", database.owner_url.replace("@", ":pass%20word@")
    )
    assert run("backup", str(tmp_path / "kept")).exit_code == 2
    words, environment = ((tmp_path / f"pg_dump.{of}").read_text() for of in ("words", "env"))
    assert "word" not in words.replace("--no-password", "")
    assert "\nPGPASSWORD=pass word\n" in f"\n{environment}"
    assert "\nPGTARGETSESSIONATTRS=read-write\n" in f"\n{environment}"
