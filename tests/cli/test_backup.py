"""``enrol backup`` and ``restore``: what is in a copy, and what is refused."""

import asyncio
import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
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
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.store import StoreSettings
from enrol.cli.main import app
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
    return folder


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
    with closing(sqlite3.connect(path)) as connection:
        names = [n for (n,) in connection.execute("SELECT name FROM sqlite_schema WHERE rootpage")]
        tables = [name for name in names if not name.startswith(("ix_", "sqlite_"))]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}")) for name in tables}


def test_a_register_comes_back_as_it_was(run: Run, register: Path, tmp_path: Path) -> None:
    file, before = tmp_path / "kept", contents(register)
    made = run("backup", str(file), "--json")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["rows"]["clients"] == 5
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


# PostgreSQL


def in_postgres(monkeypatch: pytest.MonkeyPatch, database: Database, folder: Path) -> None:
    for name, value in settings_of(database, folder).items():
        monkeypatch.setenv(f"ENROL_STORAGE_{name}", value)


def rows(database: Database) -> list[tuple[Any, ...]]:
    return [
        row
        for table in ("clients", "ledger", "audit_events", "client_keys", "client_history")
        for row in database.rows(f"SELECT * FROM {table} ORDER BY 1, 2")
    ]


def register_one_more(location: Location) -> None:
    store = open_register(location, StoreSettings())

    async def add() -> None:
        await store.clients.commit(creation(77))
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
    assert run("audit", "verify").exit_code == 0


def test_what_is_no_dump_is_refused(
    run: Run, cluster: Cluster, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_postgres(monkeypatch, cluster.create(), folder)
    (tmp_path / "kept").write_bytes(b"no dump")
    refused = run("restore", str(tmp_path / "kept"), "--json")
    assert json.loads(refused.stderr)["error"] == "backup_failed"
