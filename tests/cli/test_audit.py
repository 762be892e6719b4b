"""``enrol audit``: what operators and scripts get from it, also where they ask wrongly."""

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from adapters.values import creation, record, refusal, removal
from enrol.adapters.migration import migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.cli.main import app
from enrol.errors import ConfigurationError
from enrol.registration.kept import blob
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys

Run = Callable[..., Result]
EVENTS = 4


async def fill(path: Path) -> None:
    store = open_sqlite(path)
    await store.clients.commit(creation(1))
    await store.clients.commit(creation(2))
    await store.clients.commit(removal(record(1), request_number=9))
    strange = replace(
        refusal(3), request=b"POST /\x1b[31m HTTP/1.1\r\n\r\n\x1b", blobs=(blob(b"b"),)
    )
    store.audit.note(strange)
    await store.aclose()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
    migrate(folder / "enrol.db")
    asyncio.run(fill(folder / "enrol.db"))
    return folder


@pytest.fixture
def config(template: Path, tmp_path: Path) -> Path:
    """The settings of a sandbox whose register has four events."""
    for source in template.glob("*.*"):
        if source.is_file():
            (tmp_path / source.name).write_bytes(source.read_bytes())
    return tmp_path / "enrol.toml"


@pytest.fixture
def run(config: Path) -> Run:
    def command(*arguments: object, **options: Any) -> Result:
        return CliRunner().invoke(app, ["audit", *map(str, arguments)], **options)

    return command


def tamper(config: Path, statement: str) -> None:
    with closing(sqlite3.connect(config.with_name("enrol.db"))) as connection, connection:
        connection.execute(statement)


def head(run: Run, config: Path) -> str:
    return str(json.loads(run("show", "-c", config, "--json").stdout)["head"])


def refused(result: Result) -> ConfigurationError:
    """Return the error that ends a command with exit code 2."""
    assert isinstance(result.exception, ConfigurationError), result.output
    return result.exception


# verify


def test_a_sound_trail_exits_with_0(run: Run, config: Path) -> None:
    result = run("verify", "--config", config)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("The trail holds.\n  events         4\n")
    assert f"  head           {head(run, config)}\n" in result.stdout


def test_a_broken_trail_exits_with_1_and_names_the_event(run: Run, config: Path) -> None:
    tamper(config, "UPDATE audit_events SET client_id = 'client-9' WHERE id = 2")
    result = run("verify", "--config", config)
    assert result.exit_code == 1
    assert result.stdout.startswith("The trail does not hold: 1 wrong.\n")
    assert "\n  event 2        It does not follow from what is before it" in result.stdout


def test_verify_says_the_same_as_json(run: Run, config: Path) -> None:
    tamper(config, "DELETE FROM audit_events WHERE id = 2")
    result = run("verify", "--config", config, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["holds"], document["wrong"]) == (1, False, 1)
    (fault,) = document["faults"]
    assert (fault["event"], fault["kind"], fault["detail"]) == (3, "events_missing", "2-2")


def test_a_head_noted_before_is_expected(run: Run, config: Path) -> None:
    noted = head(run, config)
    result = run("verify", "-c", config, "--expect-head", noted)
    assert result.exit_code == 0
    assert "  expected head  that of event 4\n" in result.stdout
    tamper(config, "DELETE FROM audit_events WHERE id = 4")
    tamper(config, "UPDATE sqlite_sequence SET seq = 3 WHERE name = 'audit_events'")
    assert run("verify", "-c", config).exit_code == 0
    result = run("verify", "-c", config, "--expect-head", noted)
    assert result.exit_code == 1
    assert "trail          No event has the hash expected" in result.stdout


@pytest.mark.parametrize("text", ["", "x", "00", "0" * 63, "0" * 66, "é" * 64])
def test_a_head_that_is_none_is_refused(run: Run, config: Path, text: str) -> None:
    assert refused(run("verify", "-c", config, "--expect-head", text)).code == "head_malformed"


def test_one_trail_is_verified(run: Run, config: Path) -> None:
    assert refused(run("verify")).code == "trail_missing"
    assert refused(run("verify", "-c", config, "--file", config)).code == "trail_missing"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lambda path: path.unlink(), "database_missing"),
        (lambda path: path.write_bytes(b""), "database_empty"),
        (lambda path: path.write_bytes(b"text" * 1000), "database_corrupt"),
    ],
    ids=["missing", "empty", "text"],
)
@pytest.mark.parametrize("command", ["verify", "show", "export"])
def test_a_database_that_is_none_is_refused(
    run: Run, config: Path, command: str, damage: Callable[[Path], object], code: str
) -> None:
    damage(config.with_name("enrol.db"))
    assert refused(run(command, "-c", config)).code == code
    assert not config.with_name("enrol.db-wal").exists()


def test_settings_that_are_not_there_are_named(run: Run, tmp_path: Path) -> None:
    error = refused(run("verify", "-c", tmp_path / "none.toml"))
    assert "none.toml" in error.detail


# export


def test_an_export_is_verified_without_the_database(run: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "trail.jsonl"
    result = run("export", "-c", config, "--out", out)
    assert result.exit_code == 0, result.output
    assert f"  head           {head(run, config)}\n" in result.stdout
    assert out.stat().st_mode & 0o777 == 0o600
    noted = head(run, config)
    config.with_name("enrol.db").unlink()
    verified = run("verify", "--file", out, "--expect-head", noted)
    assert verified.exit_code == 0, verified.output


def test_an_export_goes_to_stdout_by_default(run: Run, config: Path) -> None:
    lines = run("export", "-c", config).stdout_bytes.splitlines()
    assert [json.loads(line)["line"] for line in lines] == ["trail", "blob", *["event"] * EVENTS]


def test_an_export_that_was_changed_is_found(run: Run, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "trail.jsonl"
    run("export", "-c", config, "--out", out)
    out.write_bytes(out.read_bytes().replace(b'"client-2"', b'"client-3"'))
    result = run("verify", "--file", out)
    assert result.exit_code == 1
    assert "event 2 " in result.stdout


def test_an_export_replaces_no_file(run: Run, config: Path) -> None:
    assert refused(run("export", "-c", config, "--out", config)).code == "export_exists"


def test_an_export_into_nowhere_leaves_nothing(run: Run, config: Path, tmp_path: Path) -> None:
    error = refused(run("export", "-c", config, "--out", tmp_path / "none" / "x"))
    assert error.code == "export_unwritable"


def test_an_export_that_fails_leaves_nothing(
    run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigurationError("database_corrupt", "damaged")

    monkeypatch.setattr("enrol.cli.audit.write_trail", fail)
    before = sorted(tmp_path.iterdir())
    assert refused(run("export", "-c", config, "--out", tmp_path / "x")).code == "database_corrupt"
    assert [path for path in sorted(tmp_path.iterdir()) if "enrol.db" not in path.name] == [
        path for path in before if "enrol.db" not in path.name
    ]


@pytest.mark.parametrize("content", [b"", b"hello\n", b'{"line":"event"}\n', b"\x00" * 100])
def test_a_file_that_is_no_export_is_refused(run: Run, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    assert refused(run("verify", "--file", file)).code == "export_malformed"


@pytest.mark.parametrize("name", ["none", "."])
def test_a_file_that_cannot_be_read_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    assert refused(run("verify", "--file", tmp_path / name)).code == "export_unreadable"


# show


@pytest.mark.parametrize("name", ["2", "client-2", "request-2"])
def test_an_event_is_shown_by_any_of_its_names(run: Run, config: Path, name: str) -> None:
    result = run("show", name, "-c", config)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("Event 2  client.registered\n")
    assert "  chain          follows from the event before\n" in result.stdout


def test_the_last_of_several_events_is_shown(run: Run, config: Path) -> None:
    document = json.loads(run("show", "client-1", "-c", config, "--json").stdout)
    assert (document["id"], document["type"]) == (3, "client.deleted")
    assert (document["others"], document["follows"]) == ([1], True)
    assert "Also of that name: 1, the last 1\n" in run("show", "client-1", "-c", config).stdout


def test_the_last_event_of_a_type_is_shown(run: Run, config: Path) -> None:
    document = json.loads(run("show", "client.registered", "-c", config, "--json").stdout)
    assert (document["id"], document["others"]) == (2, [1])


def test_an_event_that_was_changed_is_shown_as_such(run: Run, config: Path) -> None:
    tamper(config, "UPDATE audit_events SET code = 'KEY-3' WHERE id = 2")
    assert "does not follow: changed\n" in run("show", "2", "-c", config).stdout


def test_a_request_is_shown_escaped(run: Run, config: Path) -> None:
    shown = run("show", "4", "-c", config).stdout
    assert "\x1b" not in shown
    assert "POST /\\x1b[31m HTTP/1.1" in shown


def test_an_event_of_other_types_is_refused(run: Run, config: Path) -> None:
    tamper(config, "UPDATE audit_events SET at = 'then' WHERE id = 2")
    assert refused(run("show", "2", "-c", config)).code == "event_malformed"
    assert run("verify", "-c", config).exit_code == 1


@pytest.mark.parametrize("name", ["5", "0", "-1", "9" * 40, "nobody", "", "'; --", "²"])
def test_an_event_that_is_none_is_refused(run: Run, config: Path, name: str) -> None:
    assert refused(run("show", "-c", config, "--", name)).code == "event_unknown"
