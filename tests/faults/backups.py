"""A backup is made under load and restored elsewhere (F-34)."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.fault import POSTGRESQL, Fault
from faults.ground import Ground, seconds_to_start
from faults.judging import audit_finding
from faults.load import Load
from faults.postgres import sharing
from faults.result import Finding, at_least, at_most, holds, none_of
from live.desk import Desk
from live.shared_register import node

BEFORE, AFTER = 2.0, 1.0
RESTORED_WITHIN = 30.0


def on_sqlite(ground: Ground) -> tuple[Finding, ...]:
    """Back up a register on SQLite, and restore it for another bank."""
    with ground.running() as bank:
        return _backed_up(ground, bank, ground.bank())


def on_postgres(ground: Ground) -> tuple[Finding, ...]:
    """Back up a register in PostgreSQL, and restore it into another database."""
    with sharing(ground) as (cluster, (bank,)):
        ground.made += 1
        folder = ground.work / f"restored-{ground.made}"
        return _backed_up(ground, bank, node(ground.template, folder, cluster.create(), cluster))


def _backed_up(ground: Ground, bank: Desk, other: Desk) -> tuple[Finding, ...]:
    ground.made += 1
    copy = ground.work / f"backup-{ground.made}"
    load = ground.load(bank)
    with load.at_work():
        time.sleep(BEFORE)
        known = [dict(ledger.clients) for ledger in load.ledgers]
        backup = _enrol(bank, "backup", str(copy))
        time.sleep(AFTER)
    load.settle()
    refused = [f"{a.status} {a.code}" for a in load.answers if a.status not in (200, 201, 204)]
    began = time.monotonic()
    restored = _enrol(other, "restore", str(copy))
    seconds = time.monotonic() - began + seconds_to_start(other)
    with _stopped(other):
        standing = dict(other.rows("SELECT client_id, version FROM clients"))
        ended = {client_id for ledger in load.ledgers for client_id in ledger.removed}
        missing = [
            client_id
            for clients in known
            for client_id, version in clients.items()
            if client_id not in ended and standing.get(client_id, 0) < version
        ]
        read = _read(ground, other, load)
        return (
            holds(
                "`enrol backup` beside the load",
                f"exit code {backup.returncode}",
                met=backup.returncode == 0,
                to_reach="exit code 0",
            ),
            none_of("changes refused meanwhile", refused, f" of {len(load.answers):,}"),
            holds(
                "`enrol restore` elsewhere",
                f"exit code {restored.returncode}",
                met=restored.returncode == 0,
                to_reach="exit code 0",
            ),
            at_most("restore, and start to ready", RESTORED_WITHIN, seconds, "s"),
            at_least("clients that were acknowledged before the backup", 1, sum(map(len, known))),
            none_of("of these not restored", missing),
            holds(
                "a token, a read and a registration at the restored server",
                read,
                met=read == "200, 200, 201",
                to_reach="200, 200, 201",
            ),
            none_of("damage found by the database (I4)", other.damage()),
            audit_finding(other),
        )


def _read(ground: Ground, other: Desk, load: Load) -> str:
    """Return the statuses of a token, a read and a registration after the restore."""
    ledger = load.ledgers[0]
    party = ground.party(other)
    restored = {client_id for (client_id,) in other.rows("SELECT client_id FROM clients")}
    client_id = next(each for each in ledger.clients if each in restored)
    token = party.send(party.token_draft()).status
    statuses = [token, party.get(client_id).status, party.register().status]
    party.close()
    return ", ".join(map(str, statuses))


@contextmanager
def _stopped(bank: Desk) -> Iterator[None]:
    try:
        yield
    finally:
        bank.stop()


def _enrol(bank: Desk, command: str, file: str) -> subprocess.CompletedProcess[str]:
    """Run an `enrol` command with the settings of a bank."""
    config = str(Path(bank.folder) / "enrol.toml")
    return subprocess.run(
        [sys.executable, "-m", "enrol", command, file, "--config", config],
        env=os.environ | bank.variables,
        capture_output=True,
        text=True,
        check=False,
    )


FAULTS = (
    Fault("F-34", "a backup under load, restored elsewhere", on_sqlite),
    Fault("F-34", "a backup under load, restored into another database", on_postgres, POSTGRESQL),
)
