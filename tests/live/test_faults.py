"""500 and 503: a fault within, a register that fails, a full disk, trust that is unknown."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from faults.disks import fill, small_disk
from faults.ground import NotHere
from live import faulty_desk
from live.desk import Desk
from live.operations import OPERATIONS, REGISTRATION, Operation, check_refusal, name_of
from live.party import Party

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)


def count_rows(bank: Desk) -> list[int]:
    """Return how many rows a registration would add to."""
    tables = ("clients", "client_keys", "ledger")
    counts = [bank.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables]
    events = bank.rows("SELECT count(*) FROM audit_events WHERE type = 'client.registered'")
    return [*counts, events[0][0]]


# 500


@pytest.fixture(scope="module")
def faulty(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank whose ports fail where the file `fault` in its folder says so."""
    bank = desk.beside(tmp_path_factory.mktemp("faulty") / "bank")
    bank.program = (faulty_desk.__file__,)
    with bank:
        yield bank


@contextmanager
def fault_at(bank: Desk, place: str) -> Iterator[None]:
    """Let a place within the bank fail."""
    fault = bank.folder / faulty_desk.FAULT
    fault.write_text(place)
    yield
    fault.unlink()


@each_operation
def test_a_fault_within_is_a_500_that_tells_nothing(
    faulty: Desk, party_of: Callable[..., Party], operation: Operation
) -> None:
    party = party_of(faulty)
    client_id = party.register().json["client_id"]
    request = operation.request(party, client_id)
    before = count_rows(faulty)
    with fault_at(faulty, "tokens.find"):
        reply = party.send(request)
    check_refusal(reply, 500, "server_error", request=request, template=operation.template)
    assert b"Fault" not in reply.body
    assert b"fault" not in reply.body
    assert count_rows(faulty) == before
    assert party.send(request).status == operation.success
    assert any(
        str(request.get("x-request-id")) in line and '"defect"' in line for line in faulty.log_lines
    )


def test_a_fault_before_the_commit_leaves_nothing_behind(
    faulty: Desk, party_of: Callable[..., Party]
) -> None:
    party = party_of(faulty)
    request = party.post()
    before = count_rows(faulty)
    with fault_at(faulty, "clients.commit"):
        assert party.send(request).status == 500
    assert count_rows(faulty) == before
    assert party.send(request).status == 201


@pytest.mark.parametrize("place", ["after clients.commit", "respond"])
def test_a_fault_after_the_commit_is_healed_by_the_same_bytes(
    faulty: Desk, party_of: Callable[..., Party], place: str
) -> None:
    party = party_of(faulty)
    request = party.post()
    before = count_rows(faulty)
    with fault_at(faulty, place):
        assert party.send(request).status == 500
    after = count_rows(faulty)
    assert after == [count + 1 for count in before]
    reply = party.send(request)
    assert reply.status == 201
    assert count_rows(faulty) == after
    assert faulty.rows(
        "SELECT client_id FROM ledger WHERE request_id = ?", request.get("x-request-id")
    ) == [(reply.json["client_id"],)]


# 503: the register


@pytest.fixture(scope="module")
def frail(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank whose register a test may break."""
    with desk.beside(tmp_path_factory.mktemp("frail") / "bank") as bank:
        yield bank


def execute(bank: Desk, sql: str) -> None:
    """Change the schema behind the server's back."""
    with closing(sqlite3.connect(bank.database, isolation_level=None)) as connection:
        connection.execute(sql)


def test_a_registration_that_cannot_be_stored_fails_alone(
    frail: Desk, party_of: Callable[..., Party]
) -> None:
    parties = [party_of(frail) for _ in range(8)]
    requests = [
        party.post(party.metadata(client_name="Doomed" if index == 3 else f"Good {index}"))
        for index, party in enumerate(parties)
    ]
    execute(
        frail,
        "CREATE TRIGGER doom BEFORE INSERT ON clients"
        " WHEN instr(NEW.metadata, CAST('Doomed' AS BLOB)) BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    before = count_rows(frail)
    with ThreadPoolExecutor(len(parties)) as pool:
        replies = list(pool.map(Party.send, parties, requests))
    execute(frail, "DROP TRIGGER doom")
    template = REGISTRATION.template
    doomed = replies.pop(3)
    check_refusal(doomed, 503, "temporarily_unavailable", request=requests[3], template=template)
    assert doomed.code == "storage_unavailable"
    assert [reply.status for reply in replies] == [201] * 7
    assert count_rows(frail) == [count + 7 for count in before]
    healed = parties[3].send(requests[3])
    assert (healed.status, healed.json["client_name"]) == (201, "Doomed")


@each_operation
def test_a_register_that_cannot_be_read_is_unavailable_and_heals(
    frail: Desk, party_of: Callable[..., Party], operation: Operation
) -> None:
    party = party_of(frail)
    request = operation.request(party, party.register().json["client_id"])
    execute(frail, "ALTER TABLE clients RENAME TO elsewhere")
    reply = party.send(request)
    execute(frail, "ALTER TABLE elsewhere RENAME TO clients")
    check_refusal(
        reply, 503, "temporarily_unavailable", request=request, template=operation.template
    )
    assert party.send(request).status == operation.success


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few MiB."""
    with ExitStack() as mounted:
        try:
            mounted_at = mounted.enter_context(small_disk(tmp_path / "disk", megabytes=2))
        except NotHere as exc:
            pytest.skip(str(exc))
        yield mounted_at


def test_a_full_disk_is_unavailable_and_heals(
    desk: Desk, party_of: Callable[..., Party], tmp_path: Path, disk: Path
) -> None:
    bank = desk.beside(tmp_path / "bank", storage__path=disk / "enrol.db")
    ballast = disk / "ballast"
    with bank:
        party = party_of(bank)
        client_id = party.register().json["client_id"]
        before = count_rows(bank)
        fill(ballast)
        request = party.post()
        reply = party.send(request)
        template = REGISTRATION.template
        check_refusal(reply, 503, "temporarily_unavailable", request=request, template=template)
        assert party.get(client_id).status == 200
        assert count_rows(bank) == before
        ballast.unlink()
        assert party.send(request).status == 201
        assert bank.rows("PRAGMA integrity_check") == [("ok",)]
        assert bank.stop() == 0


# 503: trust


@pytest.fixture(scope="module")
def untrusting(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that knows of no revocation list and asks nobody."""
    folder = tmp_path_factory.mktemp("untrusting") / "bank"
    with desk.beside(folder, revocation__online="false", trust__revocation_lists="") as bank:
        yield bank


@each_operation
def test_nobody_is_believed_while_revocation_is_unknown(
    untrusting: Desk, party_of: Callable[..., Party], operation: Operation
) -> None:
    party = party_of(untrusting)
    party.use_token("A" * 43)
    request = operation.request(party, "0" * 32)
    reply = party.send(request)
    check_refusal(
        reply, 503, "temporarily_unavailable", request=request, template=operation.template
    )
    assert count_rows(untrusting) == [0, 0, 0, 0]
