"""A backup made under load is restored, and a register that is older than it was is noticed."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from live.desk import Desk
from live.party import Party
from live.test_start import refusal
from live.writer import Writer, at_work, wait_for

RIVAL = "PSDFR-ACPR-22222"
BEFORE, AFTER = 60, 30
CONTENTS = "client_id, organization_identifier, version, metadata, issued_at, updated_at"


def enrol(bank: Desk, *words: object) -> Any:
    command = [sys.executable, "-m", "enrol", *map(str, words), "--json"]
    done = subprocess.run(
        [*command, "--config", str(bank.folder / "enrol.toml")],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | bank.variables,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def versions(register: Path, *tables: str) -> set[tuple[Any, ...]]:
    """Return every version of a client in some tables, whole."""
    with closing(sqlite3.connect(register)) as connection:
        return {row for t in tables for row in connection.execute(f"SELECT {CONTENTS} FROM {t}")}


def test_a_backup_under_load_is_restored_and_gone_on_with(
    desk: Desk, party_of: Callable[..., Party], tmp_path: Path
) -> None:
    kept, enough = tmp_path / "kept", threading.Semaphore(0)
    with desk.beside(tmp_path / "bank") as bank:
        parties = [party_of(bank), party_of(bank, RIVAL)]
        writers = [Writer(party, random.Random(n)) for n, party in enumerate(parties)]
        for party in parties:
            party.token  # noqa: B018 - what is issued before the backup is in it
        threads = at_work(writers, enough)
        for _ in range(BEFORE):
            assert enough.acquire(timeout=30)
        acknowledged = {c for writer in writers for c in [*writer.ledger.registered.values()]}
        made = enrol(bank, "backup", kept)
        for _ in range(AFTER):
            assert enough.acquire(timeout=30)
        bank.kill()
        wait_for(threads)
    assert [writer.surprise for writer in writers] == [None, None]

    done = enrol(bank, "restore", kept, "--replace")
    aside, both = Path(done["set_aside"]), ("clients", "client_history")
    assert (done["rows"], done["head"]) == (made["rows"], made["head"])
    assert {row[0] for row in versions(kept, *both)} >= acknowledged
    assert versions(bank.database, *both) == versions(kept, *both) < versions(aside, *both)
    assert enrol(bank, "audit", "verify")["restored"] == [done["goes_on"]]
    given = max(bank.rows("SELECT id FROM audit_events WHERE id < ?", done["goes_on"]))[0]
    assert given == made["head"]["events"] < last_event(aside) < done["goes_on"]

    living = {row[0]: row[1] for row in versions(kept, "clients")}
    with bank:
        for writer in writers:
            own = [c for c in living if living[c] == writer.party.organization]
            assert writer.party.get(own[0]).status == 200
            assert writer.party.register().status == 201
        assert bank.stop() == 0

    shutil.copyfile(kept, bank.database)  # by somebody who does not say so
    code, said = refusal(bank)
    assert (code, "is older than it was" in said) == (2, True)
    assert enrol(bank, "restore", "--in-place")["goes_on"] > done["goes_on"]
    assert enrol(bank, "audit", "verify")["holds"]


def last_event(register: Path) -> int:
    with closing(sqlite3.connect(register)) as connection:
        return int(connection.execute("SELECT max(id) FROM audit_events").fetchone()[0])
