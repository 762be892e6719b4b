"""``enrol admin`` without a server: what operators and scripts see, and what may go wrong."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console
from typer.testing import CliRunner, Result

from adapters.registers import open_here
from adapters.test_states import PENDING, WHOLE
from adapters.values import OTHER_ORGANIZATION, creation, record, removal
from enrol.adapters.control.peers import account_of
from enrol.adapters.location import Location
from enrol.adapters.migration import migrate
from enrol.adapters.sqlite import open_sqlite
from enrol.cli import admin_list, admin_orders
from enrol.cli.main import app
from enrol.errors import ConfigurationError
from enrol.registration.audit import AuditEvent, EventType
from enrol.registration.ports import Creation, StateChange
from enrol.registration.record import ClientRecord
from enrol.sandbox.folder import create_sandbox
from enrol.sandbox.seed import RandomKeys

Run = Callable[..., Result]
EVIL = "Evil \x1b[2J\u202e[bold]GmbH"
HERE = account_of(os.geteuid())


def named(number: int, **members: Any) -> ClientRecord:
    one = record(number)
    return replace(one, metadata=replace(one.metadata, jwks=None, **members))


async def fill(register: Location) -> None:
    """Keep two TPPs: one with an own client, an agent's, one pending and one gone."""
    clients = [
        (named(1, client_legal_id="AGTFR-ACPR-7", client_name="The agent"), None),
        (named(2, client_name="Own client"), None),
        (named(3, client_name="Waiting"), PENDING),
        (named(4, client_name="Doubtful"), WHOLE),
        (record(5, organization=OTHER_ORGANIZATION), None),
    ]
    store = await open_here(register)
    for number, (client, standing) in enumerate(clients, 1):
        change = creation(number)
        await store.clients.commit(replace(change, write=Creation(client, None)))
        if standing is not None:
            event = AuditEvent(
                client.issued_at, EventType.CLIENT_PENDING, client_id=client.client_id
            )
            await store.clients.set_state(StateChange(client.client_id, 1, None, standing, event))
    await store.clients.commit(creation(6))
    await store.clients.commit(removal(record(6), request_number=60))
    await store.aclose()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("admin") / "sandbox"
    create_sandbox(folder, keys=RandomKeys(), at=datetime.now(UTC))
    migrate(folder / "enrol.db")
    asyncio.run(fill(folder / "enrol.db"))
    return folder


@pytest.fixture
def config(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a bank that approves by hand, with what `fill` keeps."""
    for source in template.glob("*.*"):
        if source.is_file():
            shutil.copy(source, tmp_path)
    monkeypatch.setenv("ENROL_APPROVAL_MODE", "manual")
    return tmp_path / "enrol.toml"


@pytest.fixture
def run(config: Path) -> Run:
    def command(name: str, *arguments: object, **options: Any) -> Result:
        told = [name, "-c", str(config), *map(str, arguments)]
        return CliRunner().invoke(app, ["admin", *told], **options)

    return command


def states(run: Run) -> dict[str, str]:
    listed = json.loads(run("list", "--json").stdout)
    return {one["client_id"]: one["state"] for one in listed}


# Looking


def test_list_has_the_agents_below_the_clients_of_their_tpp(run: Run) -> None:
    lines = run("list").stdout.splitlines()
    assert [" ".join(line.split()) for line in lines] == [
        "PSDDE-BAFIN-67890",
        "active client-5 Société n° 5 \ufffd \U0001f600",
        "PSDFR-ACPR-12345",
        "active client-2 Own client",
        "pending client-3 Waiting awaiting_approval",
        "suspended client-4 Doubtful suspended_by_bank: Fraud à la carte",
        "AGTFR-ACPR-7",
        "active client-1 The agent",
    ]
    assert lines[7].startswith("    active")


def test_list_is_an_array_for_scripts(run: Run) -> None:
    listed = json.loads(run("list", "--json").stdout)
    assert [one["client_id"] for one in listed] == [f"client-{n}" for n in (5, 2, 3, 4, 1)]
    assert listed[3] | {"updated_at": ""} == {
        "client_id": "client-4",
        "organization_identifier": "PSDFR-ACPR-12345",
        "client_legal_id": None,
        "client_name": "Doubtful",
        "scope": "aisp pisp",
        "state": "suspended",
        "code": "suspended_by_bank",
        "reason": "Fraud à la carte",
        "version": 1,
        "updated_at": "",
    }


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (("--state", "pending"), [3]),
        (("--state", "pending", "--state", "suspended"), [3, 4]),
        (("--organization", "PSDDE-BAFIN-67890"), [5]),
        (("--organization", "PSDFR-ACPR-12345", "--state", "active"), [2, 1]),
        (("--organization", "PSDFR-ACPR-1234"), []),
        (("--state", "rejected"), []),
    ],
)
def test_list_is_narrowed(run: Run, options: tuple[str, ...], numbers: list[int]) -> None:
    listed = json.loads(run("list", "--json", *options).stdout)
    assert [one["client_id"] for one in listed] == [f"client-{n}" for n in numbers]


def test_list_goes_through_the_register_page_by_page(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run("list").stdout
    for size in (1, 2, 5):
        monkeypatch.setattr("enrol.adapters.roster.AT_ONCE", size)
        assert run("list").stdout == whole


def test_list_is_a_table_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console(record=True, force_terminal=True, width=100)
    monkeypatch.setattr(admin_list, "Console", lambda: console)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    at = datetime.now(UTC)
    listed = list(admin_list.families([named(1, client_name=EVIL)], {"active"}, at=at))
    admin_list.print_list(listed, as_json=False)
    text = console.export_text()
    assert "client-1" in text
    assert "Evil \ufffd[2J\ufffd[bold]GmbH" in text


def test_show_has_what_was_registered_and_why_it_does_not_work(run: Run) -> None:
    shown = run("show", "client-4")
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert lines[:6] == [
        "Client client-4",
        "organisation PSDFR-ACPR-12345",
        "state suspended",
        "The bank has suspended the client.",
        'ann by root: "Fraud à la carte"',
        "Approved by bob.",
    ]
    assert "client_name Doubtful" in lines
    assert "kid kid-4" in lines
    assert any("client.pending" in line for line in lines)


def test_show_is_an_object_for_scripts(run: Run) -> None:
    shown = json.loads(run("show", "client-4", "--json").stdout)
    assert (shown["state"], shown["standing"]["actor"]) == ("suspended", "ann by root")
    assert [event["type"] for event in shown["events"]] == ["client.pending", "client.registered"]
    assert shown["keys"][0]["kid"] == "kid-4"
    assert shown["metadata"]["client_name"] == "Doubtful"


def test_show_finds_who_was_deleted(run: Run) -> None:
    assert json.loads(run("show", "client-6", "--json").stdout)["state"] == "deleted"


@pytest.mark.parametrize("name", ["client-9", "\x1b[31m", ""])
def test_show_says_that_nobody_has_that_client_id(run: Run, name: str) -> None:
    shown = run("show", name)
    assert (shown.exit_code, "\x1b" in shown.output) == (2, False)
    assert "enrol admin list" in shown.output


# Deciding


def test_an_approved_client_is_active_and_who_approved_it_is_kept(run: Run) -> None:
    done = run("approve", "client-3", "--reason", "Looked at", "--actor", "ann")
    assert (done.exit_code, done.stdout) == (0, "client-3  active\n")
    event = json.loads(run("show", "client-3", "--json").stdout)["events"][0]
    assert (event["type"], event["actor"]) == ("client.approved", f"ann by {HERE}")
    assert event["reason"] == "Looked at"


def test_without_a_name_the_account_is_kept(run: Run) -> None:
    assert run("reject", "client-3", "--reason", "Who is that?").exit_code == 0
    shown = json.loads(run("show", "client-3", "--json").stdout)
    assert shown["standing"]["actor"] == HERE


def test_two_people_approve_with_four_eyes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENROL_APPROVAL_FOUR_EYES", "true")
    first = run("approve", "client-3", "--actor", "ann")
    assert "a second one has to" in first.stdout
    again = run("approve", "client-3", "--actor", "ann")
    assert (again.exit_code, "not done" in again.stderr) == (1, True)
    assert run("approve", "client-3", "--actor", "bob").stdout == "client-3  active\n"


def test_several_are_decided_on_and_a_refusal_keeps_nobody_back(run: Run) -> None:
    done = run(
        "suspend", "client-1", "client-9", "client-2", "client-1", "--reason", "Fraud", "--json"
    )
    assert done.exit_code == 1
    told = {one["client_id"]: one.get("state", one.get("error")) for one in json.loads(done.stdout)}
    assert told == {
        "client-1": "suspended",
        "client-9": "client_not_found",
        "client-2": "suspended",
    }
    assert states(run)["client-2"] == "suspended"
    assert run("resume", "client-1", "client-2").exit_code == 0
    assert states(run)["client-2"] == "active"


def test_what_cannot_be_done_is_said_with_what_to_do(run: Run) -> None:
    done = run("approve", "client-2")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "client-2  not done: This cannot be done to a client in this state." in done.stderr
    changed = run("suspend", "client-2", "--reason", "x", "--version", 7)
    assert "Look at it with enrol admin show, and order again." in changed.stderr


def test_a_name_that_is_none_orders_nothing(run: Run) -> None:
    done = run("approve", "client-3", "--actor", "ann by root")
    assert (done.exit_code, "letters, digits" in done.stderr) == (1, True)
    assert states(run)["client-3"] == "pending"


def test_deleting_without_a_terminal_has_to_be_confirmed(run: Run) -> None:
    asked = run("delete", "client-2", "--reason", "Gone")
    assert isinstance(asked.exception, ConfigurationError)
    assert asked.exception.code == "confirmation_missing"
    assert "client-2" in states(run)
    done = run("delete", "client-2", "--reason", "Gone", "--yes")
    assert (done.exit_code, done.stdout) == (
        0,
        f'client-2  deleted: The bank has deleted the client. {HERE}: "Gone"\n',
    )
    assert "client-2" not in states(run)
    assert json.loads(run("show", "client-2", "--json").stdout)["state"] == "deleted"


@pytest.mark.parametrize(("answer", "code", "stays"), [("n\n", 1, True), ("y\n", 0, False)])
def test_deleting_on_a_terminal_is_asked_about(
    run: Run, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, stays: bool
) -> None:
    monkeypatch.setattr(admin_orders, "_is_attended", lambda: True)
    done = run("delete", "client-2", "--reason", "Gone", input=answer)
    assert done.exit_code == code, done.output
    assert ("client-2" in states(run)) is stays


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "\udcff"),
        ("list", "--organization", "\udcff"),
        ("approve", "\udcff"),
        ("suspend", "client-2", "--reason", "\udcff"),
        ("approve", "client-3", "--actor", "\udcff"),
    ],
)
def test_an_argument_that_is_no_text_is_refused(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, ConfigurationError)
    assert done.exception.code == "argument_malformed"


def test_a_version_is_of_one_client(run: Run) -> None:
    done = run("approve", "client-2", "client-3", "--version", 1)
    assert isinstance(done.exception, ConfigurationError)


def test_who_holds_the_register_and_does_not_listen_is_spoken_of(run: Run, config: Path) -> None:
    store = open_sqlite(config.with_name("enrol.db"))
    done = run("approve", "client-3", "--json")
    asyncio.run(store.aclose())
    assert done.exit_code == 2
    assert json.loads(done.stderr.splitlines()[-1])["error"] == "control_unreachable"


def test_a_socket_that_was_left_behind_is_nobody(run: Run, config: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(config.with_name("enrol.db.sock")))
        listening.listen()
        listening.shutdown(socket.SHUT_RDWR)
        done = run("approve", "client-3")
    assert done.exit_code == 0  # nobody listens any more, so it is done here
    assert states(run)["client-3"] == "active"


def test_a_group_that_is_not_there_is_said_before_the_start(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENROL_SERVER_OPERATORS", "nobody-has-this-group")
    done = CliRunner().invoke(app, ["check-config", str(config)])
    assert isinstance(done.exception, ConfigurationError)
    assert done.exception.code == "operators_unknown"
