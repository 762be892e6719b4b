"""What judges is judged: invariants that are broken on purpose must be seen."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from faults import unsynced_desk
from faults.disks import file_disk
from faults.fault import Fault
from faults.ground import Ground
from faults.judging import audit_finding
from faults.load import Load
from faults.power import MEGABYTES, cut_rounds
from faults.result import Finding, at_least, holds
from live.desk import Desk
from live.invariants import halves, invented, lost

CHANGES = 60
ROUNDS = 3
NUMBER = "self-check"


def broken_invariants(ground: Ground) -> tuple[Finding, ...]:
    """Break each invariant in the books or behind the server's back, and compare."""
    with ground.running() as bank:
        load = ground.load(bank)
        with load.at_work():
            while load.acknowledged < CHANGES:
                time.sleep(0.02)
        load.settle()
        load.close()
        bank.stop()
        return tuple(_seen(bank, load, *each) for each in _breaches(bank, load))


Breach = tuple[str, Callable[[], object], Callable[[], object], Callable[[], bool]]


def _breaches(bank: Desk, load: Load) -> list[Breach]:
    """Return what is broken, how, how it is mended, and whether it is seen."""
    ledger, ledgers = load.ledgers[0], load.ledgers
    client_id, version = next(iter(ledger.clients.items()))
    request_id = ledger.asked[0]
    whole = bank.database.read_bytes()

    def mend() -> None:
        for log in ("-wal", "-shm"):
            Path(f"{bank.database}{log}").unlink(missing_ok=True)
        bank.database.write_bytes(whole)

    return [
        (
            "a client in the books that was never registered (I1)",
            lambda: ledger.clients.update({"never": 1}),
            lambda: ledger.clients.pop("never"),
            lambda: bool(lost(bank, ledgers)),
        ),
        (
            "an update in the books that never happened (I1)",
            lambda: ledger.clients.update({client_id: version + 1}),
            lambda: ledger.clients.update({client_id: version}),
            lambda: bool(lost(bank, ledgers)),
        ),
        (
            "a client nobody was told of (I2)",
            lambda: ledger.clients.pop(client_id),
            lambda: ledger.clients.update({client_id: version}),
            lambda: bool(invented(bank, ledgers)),
        ),
        (
            "a request that happened and was not asked for (I2)",
            lambda: ledger.asked.remove(request_id),
            lambda: ledger.asked.append(request_id),
            lambda: bool(invented(bank, ledgers)),
        ),
        (
            "a client without its keys (I3)",
            lambda: _execute(bank, "DELETE FROM client_keys WHERE client_id = ?", client_id),
            mend,
            lambda: bool(halves(bank, ledgers)),
        ),
        (
            "a change without its audit event (I3)",
            lambda: _execute(bank, "DELETE FROM audit_events WHERE request_id = ?", request_id),
            mend,
            lambda: bool(halves(bank, ledgers)),
        ),
        (
            "an audit event that was changed (I4)",
            lambda: _execute(
                bank,
                "UPDATE audit_events SET type = 'client.suspended' WHERE request_id = ?",
                request_id,
            ),
            mend,
            lambda: not audit_finding(bank).met,
        ),
        (
            "an index without an entry (I4)",
            lambda: _lose_an_entry(bank),
            mend,
            lambda: bool(bank.damage()),
        ),
    ]


def _seen(
    bank: Desk,
    load: Load,
    what: str,
    break_it: Callable[[], object],
    mend: Callable[[], object],
    is_seen: Callable[[], bool],
) -> Finding:
    before = is_seen()
    break_it()
    seen = is_seen()
    mend()
    measured = {(False, True): "seen", (False, False): "not seen"}.get(
        (before, seen), "seen where there was nothing"
    )
    return holds(what, measured, met=measured == "seen", to_reach="seen")


def _execute(bank: Desk, statement: str, *parameters: str) -> None:
    with closing(sqlite3.connect(bank.database, isolation_level=None)) as connection:
        assert connection.execute(statement, parameters).rowcount > 0


def _lose_an_entry(bank: Desk) -> None:
    """Let an index end a page early: its schema is written with another condition."""
    with closing(sqlite3.connect(bank.database, isolation_level=None)) as connection:
        connection.execute("CREATE INDEX extra ON clients (client_id) WHERE version < 0")
        connection.execute("PRAGMA writable_schema=1")
        whole = "CREATE INDEX extra ON clients (client_id)"
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'extra'", (whole,))


def unsynced(ground: Ground) -> tuple[Finding, ...]:
    """Cut the power of a server that acknowledges before the disk has the change."""
    with file_disk(ground.work / "unsynced-disk", MEGABYTES) as disk:
        bank = ground.bank(storage__path=disk.folder / "enrol.db")
        bank.program = (unsynced_desk.__file__,)
        try:
            with bank:
                missing, _ = cut_rounds(bank, ground.load(bank), disk, ROUNDS)
        finally:
            if bank.process.poll() is None:
                bank.kill()
    return (at_least("acknowledged changes that were seen to be lost", 1, len(missing)),)


FAULTS = (
    Fault(NUMBER, "each invariant is broken on purpose, and must be seen to be", broken_invariants),
    Fault(
        NUMBER,
        "the power is cut under a server that does not wait for the disk (`synchronous=NORMAL`),"
        " and changes must be seen to be lost",
        unsynced,
    ),
)
