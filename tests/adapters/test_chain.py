"""Whoever changes the audit trail is found: by a column, a row, its place, or its absence."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import count

import pytest
from msgspec.structs import replace

from adapters.trails import review
from adapters.values import (
    access_token,
    creation,
    record,
    refusal,
    removal,
    token_event,
)
from enrol.adapters import chain as chain_module
from enrol.adapters.sqlite import open_sqlite
from enrol.adapters.trail import open_trail
from enrol.adapters.view import RegisterView
from enrol.errors import UnavailableError
from enrol.registration.chain import GENESIS, Head, chain_hash
from enrol.registration.kept import blob
from enrol.registration.review import Fault, FaultKind

EVENTS = 9
MIDDLE = 5
COLUMNS = {
    "at": "at + 1",
    "type": "'client.deleted'",
    "code": "'KEY-3'",
    "organization_identifier": "'PSDFR-ACPR-99999'",
    "client_id": "'another'",
    "request_id": "NULL",
    "evidence": "evidence || ' '",
    "request": "x'00'",
    "hash": "zeroblob(32)",
}


def found(path, **options):
    """Return the kinds of faults and the events they are named with."""
    return [(fault.kind, fault.event) for fault in review(path, **options).faults]


def tamper(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def chained(path, first, last):
    """Give events new hashes, as one who knows how they are made can."""
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = connection.execute("SELECT * FROM audit_events ORDER BY id").fetchall()
        previous = rows[first - 2][-1]
        for *columns, _ in rows[first - 1 : last]:
            previous = chain_hash(previous, tuple(columns))
            connection.execute(
                "UPDATE audit_events SET hash = ? WHERE id = ?", (previous, columns[0])
            )


@pytest.fixture
async def trail(path):
    """A register closed in order, with nine events of every kind, and the path of it."""
    store = open_sqlite(path)
    for number in range(1, 6):
        await store.clients.commit(creation(number))
    await store.clients.commit(removal(record(1), request_number=-1))
    token = access_token(1)
    await store.tokens.add(token, token_event(token))
    store.audit.note(refusal(1))
    store.audit.note(replace(refusal(2), request=b"POST / HTTP/1.1\r\n\r\n", blobs=(blob(b"b"),)))
    await store.aclose()
    return path


def test_hash_of_an_event_never_changes():
    """The vectors: an auditor can compute them with any SHA-256 and any MessagePack."""
    empty = (1, 0, "request.refused", None, None, None, None, "{}", None)
    assert chain_hash(GENESIS, empty).hex() == (
        "7371106e8137971c23029f88d38be2b2abad318f076a0e020dcc5e6e1c9f6786"
    )
    full = (2**40, 2**41, "client.registered", "c", "o", "é", "r", '{"version":1}', bytes(300))
    assert chain_hash(bytes(range(32)), full).hex() == (
        "f5a8cd14a718209acd87615f833f7d0a6d181cd78f2f05898004796beb70507c"
    )


def test_trail_nobody_touched_holds(trail):
    result = review(trail)
    assert (result.events, result.blobs, result.wrong) == (EVENTS, 1, 0)
    assert result.head.id == EVENTS


@pytest.mark.parametrize("column", COLUMNS)
def test_changed_column_is_found_at_its_event(trail, column):
    tamper(trail, f"UPDATE audit_events SET {column} = {COLUMNS[column]} WHERE id = {MIDDLE}")
    first = found(trail)[0]
    assert first == (FaultKind.EVENT_CHANGED, MIDDLE)


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "hash"])
def test_changed_column_of_the_last_event_is_found(trail, column):
    tamper(trail, f"UPDATE audit_events SET {column} = {COLUMNS[column]} WHERE id = {EVENTS}")
    assert found(trail) == [(FaultKind.EVENT_CHANGED, EVENTS)]


def test_event_that_was_changed_and_hashed_anew_is_found_at_the_next(trail):
    tamper(trail, f"UPDATE audit_events SET code = 'KEY-3' WHERE id = {MIDDLE}")
    chained(trail, MIDDLE, MIDDLE)
    assert found(trail) == [(FaultKind.EVENT_CHANGED, MIDDLE + 1)]


@pytest.mark.parametrize("event", [1, MIDDLE, EVENTS - 1])
def test_removed_event_is_found_at_the_next(trail, event):
    tamper(trail, f"DELETE FROM audit_events WHERE id = {event}")
    assert found(trail) == [(FaultKind.EVENTS_MISSING, event + 1)]
    assert review(trail).faults[0].detail == f"{event}-{event}"


def test_removed_event_whose_gap_was_closed_is_found(trail):
    tamper(
        trail,
        f"DELETE FROM audit_events WHERE id = {MIDDLE}",
        f"UPDATE audit_events SET id = id - 1 WHERE id > {MIDDLE}",
    )
    assert found(trail)[0] == (FaultKind.EVENT_CHANGED, MIDDLE)


def test_swapped_events_are_found(trail):
    tamper(
        trail,
        "UPDATE audit_events SET id = 1000 WHERE id = 3",
        "UPDATE audit_events SET id = 3 WHERE id = 4",
        "UPDATE audit_events SET id = 4 WHERE id = 1000",
        "UPDATE sqlite_sequence SET seq = 9 WHERE name = 'audit_events'",
    )
    assert found(trail)[0] == (FaultKind.EVENT_CHANGED, 3)


@pytest.mark.parametrize("hashed", ["zeroblob(32)", "'text'", "NULL", "hash"])
def test_appended_event_is_found(trail, hashed):
    columns = "at, type, code, organization_identifier, client_id, request_id, evidence, request"
    insert = f"INSERT INTO audit_events ({columns}, hash) SELECT {columns}, {hashed} "
    if hashed == "NULL":
        with pytest.raises(sqlite3.IntegrityError):
            tamper(trail, insert + "FROM audit_events WHERE id = 1")
        return
    tamper(trail, insert + "FROM audit_events WHERE id = 1")
    assert found(trail)[0] == (FaultKind.EVENT_CHANGED, EVENTS + 1)


def test_events_inserted_between_others_cannot_be_numbered(trail):
    tamper(
        trail,
        f"UPDATE audit_events SET id = 1000 + id WHERE id > {MIDDLE}",
        "INSERT INTO audit_events SELECT 6, at, type, code, organization_identifier, client_id, "
        "request_id, evidence, request, hash FROM audit_events WHERE id = 5",
    )
    assert found(trail)[0] == (FaultKind.EVENT_CHANGED, MIDDLE + 1)


def test_tail_that_was_cut_off_is_found(trail):
    tamper(trail, f"DELETE FROM audit_events WHERE id > {MIDDLE}")
    assert found(trail) == [(FaultKind.TAIL_MISSING, MIDDLE)]
    assert review(trail).faults[0].detail == f"{MIDDLE + 1}-{EVENTS}"


def test_tail_that_was_cut_off_with_its_trace_is_found_by_a_head_noted_before(trail):
    noted = review(trail).head.hash
    tamper(
        trail,
        f"DELETE FROM audit_events WHERE id > {MIDDLE}",
        f"UPDATE sqlite_sequence SET seq = {MIDDLE} WHERE name = 'audit_events'",
    )
    assert found(trail) == []
    assert found(trail, expected_head=noted) == [(FaultKind.HEAD_UNKNOWN, None)]


def test_trail_that_was_written_anew_is_found_by_a_head_noted_before(trail):
    noted = review(trail).head.hash
    tamper(trail, "UPDATE audit_events SET code = 'KEY-3' WHERE id = 2")
    chained(trail, 2, EVENTS)
    assert found(trail) == []
    assert found(trail, expected_head=noted) == [(FaultKind.HEAD_UNKNOWN, None)]


async def test_head_noted_before_is_found_in_a_trail_that_has_grown(trail):
    noted = review(trail).head
    store = open_sqlite(trail)
    await store.clients.commit(creation(7))
    await store.aclose()
    result = review(trail, expected_head=noted.hash)
    assert (result.wrong, result.expected_at, result.head.id) == (0, noted.id, noted.id + 1)


async def test_number_of_a_removed_event_is_not_given_again(trail):
    tamper(trail, f"DELETE FROM audit_events WHERE id = {EVENTS}")
    store = open_sqlite(trail)
    await store.clients.commit(creation(7))
    await store.aclose()
    assert found(trail) == [(FaultKind.EVENTS_MISSING, EVENTS + 1)]


def test_changed_blob_is_found(trail):
    tamper(trail, "UPDATE evidence_blobs SET content = x'00'")
    assert review(trail).faults == [Fault(FaultKind.BLOB_CHANGED, None, blob(b"b").sha256.hex())]


@pytest.mark.parametrize("octets", ["x'ff'", "'\ud7ff'", "3.5"])
def test_columns_of_other_types_are_found_and_not_fatal(trail, octets):
    tamper(trail, f"UPDATE audit_events SET evidence = CAST({octets} AS TEXT) WHERE id = 2")
    assert found(trail)[0] == (FaultKind.EVENT_CHANGED, 2)


def test_only_the_first_faults_are_kept_and_all_counted(trail, monkeypatch):
    monkeypatch.setattr("enrol.registration.review.MOST_FAULTS", 3)
    tamper(trail, "UPDATE audit_events SET code = 'KEY-3'")
    result = review(trail)
    assert (len(result.faults), result.wrong) == (3, EVENTS)


# What the writer does


async def test_events_of_one_batch_are_linked_in_their_order(store, path, query):
    await asyncio.gather(*(store.clients.commit(creation(number)) for number in range(1, 101)))
    assert review(path).wrong == 0
    numbers = [event_id for (event_id,) in query("SELECT id FROM audit_events ORDER BY id")]
    assert numbers == list(range(1, 101))


async def test_blob_is_stored_once_in_whatever_batch_and_process_it_comes(path, query):
    blobs = (blob(b"certificate"), blob(b"list"))
    numbers = count(1)
    for _ in range(2):
        store = open_sqlite(path)
        for _ in range(2):
            events = [replace(refusal(next(numbers)), blobs=blobs) for _ in range(3)]
            for event in events:
                store.audit.note(event)
            await store.clients.commit(creation(next(numbers)))
        await store.aclose()
    rows = query("SELECT sha256, content FROM evidence_blobs ORDER BY id")
    assert rows == [(each.sha256, each.content) for each in blobs]
    assert review(path).wrong == 0


async def test_writes_that_failed_leave_no_gap(store, path, monkeypatch):
    await store.clients.commit(creation(1))
    complete = store._writer._commit

    def fail():
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(store._writer, "_commit", fail)
    change = creation(2)
    kept = replace(change, event=replace(change.event, blobs=(blob(b"b"),)))
    with pytest.raises(UnavailableError):
        await store.clients.commit(kept)
    monkeypatch.setattr(store._writer, "_commit", complete)
    await store.clients.commit(kept)
    result = review(path)
    assert (result.events, result.blobs, result.wrong) == (2, 1, 0)


async def test_head_is_logged_when_the_register_is_closed(path, monkeypatch):
    logged = []
    monkeypatch.setattr(
        chain_module._log, "info", lambda event, **facts: logged.append((event, facts))
    )
    store = open_sqlite(path)
    await store.clients.commit(creation(1))
    assert logged == []
    await store.aclose()
    head = review(path).head
    assert logged == [("audit_head", {"events": 1, "hash": head.hash.hex()})]


async def test_head_is_logged_again_after_an_hour(path, monkeypatch):
    logged = []
    monkeypatch.setattr(
        chain_module._log, "info", lambda event, **facts: logged.append(facts["events"])
    )
    clock = count(0.0, chain_module.ANCHOR_EVERY / 2)
    monkeypatch.setattr(chain_module.time, "monotonic", lambda: next(clock))
    connection = sqlite3.connect(path)
    chain = chain_module.Chain(connection)
    for number in range(1, 5):
        links = chain.link([refusal(number)])
        chain.advance(links)
    connection.close()
    assert logged
    assert len(logged) < 4


def test_empty_trail_holds(path):
    result = review(path)
    assert (result.wrong, result.head) == (0, Head())


def test_empty_trail_is_not_one_that_was_emptied(trail):
    tamper(trail, "DELETE FROM audit_events")
    assert found(trail) == [(FaultKind.TAIL_MISSING, 0)]


async def test_reading_beside_the_server_neither_writes_nor_checkpoints(store, path):
    await asyncio.gather(*(store.clients.commit(creation(number)) for number in range(1, 11)))
    log = path.with_name(f"{path.name}-wal")
    before = path.read_bytes(), log.read_bytes()
    assert review(path).events == 10
    assert (path.read_bytes(), log.read_bytes()) == before
    await store.clients.commit(creation(11))
    assert review(path).events == 11


async def test_trail_that_grows_while_it_is_opened_is_of_one_moment(store, path, monkeypatch):
    await store.clients.commit(creation(1))
    complete, numbers = RegisterView.first, count(2)

    def first(view, *arguments):
        row = complete(view, *arguments)
        store._writer.write([creation(next(numbers))])
        return row

    monkeypatch.setattr(RegisterView, "first", first)
    result = review(path)
    assert (result.wrong, result.events) == (0, 1)


async def test_log_of_a_server_that_was_killed_is_read(store, path, tmp_path):
    await store.clients.commit(creation(1))
    copy = tmp_path / "killed.db"
    for name in ("", "-wal"):
        copy.with_name(copy.name + name).write_bytes(path.with_name(path.name + name).read_bytes())
    before = copy.read_bytes()
    assert review(copy).events == 1
    assert copy.read_bytes() == before
    opened = open_sqlite(copy)
    assert await opened.clients.find(record(1).client_id) is not None
    await opened.aclose()


def test_time_of_an_event_is_kept_to_the_millisecond(trail):
    with open_trail(trail) as opened:
        event = opened.event(1)
    assert datetime.fromtimestamp(event.at / 1000, UTC) == datetime(
        2026, 11, 24, 12, 30, 15, tzinfo=UTC
    )
