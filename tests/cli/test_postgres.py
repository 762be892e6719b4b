"""The commands on a register in PostgreSQL, beside its servers or without one."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.test_admin import fill
from cluster import Cluster, Database
from enrol.adapters.location import PostgresUrl
from enrol.cli.main import app
from enrol.errors import ConfigurationError

Run = Callable[..., Result]

WORDS_OF_ADMIN = ("client-2", "client-3", "client-4", "client-5", "The agent")


@pytest.fixture(scope="module")
def register(cluster: Cluster) -> Database:
    """A register with two TPPs and what happened to them."""
    made = cluster.create_register()
    asyncio.run(fill(PostgresUrl(made.server_url)))
    return made


@pytest.fixture
def run(sandbox: Path, register: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    folder = tmp_path / "node"
    shutil.copytree(sandbox, folder)
    for name, value in settings_of(register, folder).items():
        monkeypatch.setenv(f"ENROL_STORAGE_{name}", value)
    monkeypatch.setenv("ENROL_APPROVAL_MODE", "manual")

    def command(*words: str, **options: Any) -> Result:
        *names, last = words
        told = [*names, last, "-c", str(folder / "enrol.toml")]
        return CliRunner().invoke(app, told, **options)

    return command


def settings_of(register: Database, folder: Path) -> dict[str, str]:
    return {
        "PATH": "",
        "URL": register.server_url,
        "MIGRATION_URL": register.owner_url,
        "STATE": str(folder),
    }


def test_clients_are_listed_and_shown(run: Run) -> None:
    listed = run("admin", "list")
    assert listed.exit_code == 0
    assert all(word in listed.stdout for word in WORDS_OF_ADMIN)
    shown = run("admin", "show", "client-4")
    assert (shown.exit_code, "suspended" in shown.stdout) == (0, True)
    gone = run("admin", "show", "client-6")
    assert (gone.exit_code, "deleted" in gone.stdout) == (0, True)


def test_an_order_is_carried_out_without_a_server(run: Run, register: Database) -> None:
    for order, state in (("suspend", "suspended"), ("resume", "active")):
        assert run("admin", order, "client-2", "--reason", "tried").exit_code == 0
        assert json.loads(run("admin", "show", "client-2", "--json").stdout)["state"] == state
    last = register.rows("SELECT type, client_id FROM audit_events ORDER BY id DESC LIMIT 1")
    assert last == [("client.resumed", "client-2")]


def test_the_trail_is_verified_exported_and_shown(run: Run, tmp_path: Path) -> None:
    assert run("audit", "verify").exit_code == 0
    file = tmp_path / "trail.jsonl"
    assert run("audit", "export", "--out", str(file)).exit_code == 0
    assert CliRunner().invoke(app, ["audit", "verify", "--file", str(file)]).exit_code == 0
    assert "client.registered" in run("audit", "show", "client-5").stdout


def test_a_trail_that_was_changed_does_not_verify(run: Run, register: Database) -> None:
    (event,) = register.rows("SELECT id, type FROM audit_events WHERE id = 2")
    register.rows("UPDATE audit_events SET type = 'client.updated' WHERE id = 2")
    assert run("audit", "verify").exit_code == 1
    register.rows("UPDATE audit_events SET type = ? WHERE id = 2", event[1])
    assert run("audit", "verify").exit_code == 0


def test_the_outbox_is_looked_at(run: Run) -> None:
    status = run("webhooks", "status", "--json")
    assert json.loads(status.stdout)["waiting"] == 0
    assert run("webhooks", "list").stdout == "Nothing waits.\n"


def test_clients_are_judged_anew(run: Run) -> None:
    told = json.loads(run("trust", "recheck", "--dry-run", "--json").stdout)
    assert told["clients"] == 5


def test_a_register_that_is_up_to_date_is_left_alone(run: Run, register: Database) -> None:
    done = run("migrate")
    assert done.exit_code == 0
    assert "is up to date" in done.stdout
    assert register.owner_url not in done.stdout  # it has a user, and may have a password


def test_a_database_without_register_is_not_taken_for_one(
    run: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = cluster.create()
    monkeypatch.setenv("ENROL_STORAGE_URL", empty.server_url)
    refused = run("admin", "list")
    assert (refused.exit_code, "run `enrol migrate`" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"PATH": "enrol.db"}, "either path"),
        ({"URL": ""}, "either path"),
        ({"STATE": ""}, "set state"),
        ({"URL": "mysql://host/enrol"}, "begin with postgresql://"),
        ({"MIGRATION_URL": "enrol.db"}, "begin with postgresql://"),
    ],
)
def test_a_place_that_cannot_be_is_refused(
    run: Run, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], words: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(f"ENROL_STORAGE_{name}", value)
    refused = run("migrate").exception
    assert isinstance(refused, ConfigurationError)
    assert words in str(refused)
