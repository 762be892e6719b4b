"""Files of the register that others hold or that are damaged (F-15, F-17)."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copytree, rmtree

from faults.fault import Fault
from faults.ground import ORGANIZATIONS, Ground, refusal_to_start
from faults.judging import audit_finding, no_500, register_findings
from faults.load import Visitor, statuses
from faults.result import Finding, at_least, at_most, holds, none_of
from live.desk import Desk
from live.invariants import lost

HELD = 10.0
PATIENCE = 5.0
SLOWEST_READ = 1.0
HEALS_WITHIN = 5.0
CHANGES = 300
FRAMES_LEFT = 32 + 3 * (24 + 4096)  # octets: the head of the log, and three pages


def lock_held(ground: Ground) -> tuple[Finding, ...]:
    """Hold the lock of the register from outside under load."""
    with ground.running() as bank:
        load = ground.load(bank)
        visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
        with load.at_work():
            time.sleep(0.5)
            with closing(sqlite3.connect(bank.database, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                held_at = time.monotonic()
                with visitor.visiting():
                    time.sleep(HELD)
                other.execute("ROLLBACK")
                free_at = time.monotonic()
            time.sleep(1)
        refused = [a for a in load.answers if a.ended > held_at and a.status == 503]
        slowest = max((a.seconds for a in refused), default=0.0)
        good = [a.ended for a in load.answers if a.ended > free_at and a.status in (200, 201, 204)]
        return (
            at_least("changes refused with 503 meanwhile", 1, len(refused)),
            at_most("slowest of these answers", PATIENCE + 1, slowest, "s"),
            at_most("p99 of another TPP's reads meanwhile", SLOWEST_READ, visitor.p99, "s"),
            at_most(
                "first acknowledged change after the lock is free",
                HEALS_WITHIN,
                min(good, default=float("inf")) - free_at,
                "s",
            ),
            *register_findings(bank, load, visitor),
            no_500(load),
        )


def copied_meanwhile(ground: Ground) -> tuple[Finding, ...]:
    """Let another program copy the register online, again and again, under load."""
    copies, unsound = 0, []
    with ground.running() as bank:
        load = ground.load(bank)
        with load.at_work():
            end = time.monotonic() + 5
            while time.monotonic() < end:
                copy = ground.work / "copy.db"
                uri = f"file:{bank.database}?mode=ro"
                with closing(sqlite3.connect(uri, uri=True)) as source:
                    with closing(sqlite3.connect(copy)) as target:
                        source.backup(target, pages=64, sleep=0.001)
                        verdict = target.execute("PRAGMA integrity_check").fetchone()[0]
                        unsound += [verdict] if verdict != "ok" else []
                copy.unlink()
                copies += 1
                time.sleep(0.2)
        refused = [f"{a.status} {a.code}" for a in load.answers if a.status >= 400]
        return (
            at_least("copies made", 1, copies),
            none_of("copies that are not sound", unsound),
            none_of("changes refused meanwhile", refused, f"; {statuses(load.answers)}"),
            *register_findings(bank, load),
        )


# Damage

Damage = Callable[[Path], None]


def _overwrite(file: Path, *, at: float, octets: bytes) -> None:
    """Overwrite a page, which begins at that share of the file."""
    pages = file.stat().st_size // 4096
    with file.open("r+b") as stream:
        stream.seek(int(pages * at) * 4096)
        stream.write(octets * 4096)


def _of_another_program(file: Path) -> None:
    file.unlink()
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE notes (text)")


DAMAGES: dict[str, Damage] = {
    "first page zeroed": lambda f: _overwrite(f, at=0, octets=b"\0"),
    "a page in the middle zeroed": lambda f: _overwrite(f, at=0.5, octets=b"\0"),
    "a page in the middle overwritten": lambda f: _overwrite(f, at=0.5, octets=b"\xa5"),
    "last page overwritten": lambda f: _overwrite(f, at=0.999, octets=b"\xa5"),
    "cut in half": lambda f: os.truncate(f, f.stat().st_size // 2),
    "emptied": lambda f: os.truncate(f, 0),
    "removed": Path.unlink,
    "a text": lambda f: f.write_text("not a database\n" * 1000) and None,
    "another program's database": _of_another_program,
}


def damaged_file(ground: Ground) -> tuple[Finding, ...]:
    """Damage the file of a register at rest in several ways, and try to start on it."""
    with ground.running() as bank:
        load = ground.load(bank)
        with load.at_work():
            while load.acknowledged < CHANGES:
                time.sleep(0.05)
        load.settle()
        load.close()
        bank.stop()
    started, unclear, changed = [], [], []
    whole = bank.folder.with_name("whole")
    copytree(bank.folder, whole)
    for name, damage in DAMAGES.items():
        rmtree(bank.folder)
        copytree(whole, bank.folder)
        damage(bank.database)
        before = _content(bank.database)
        code, message = refusal_to_start(bank)
        ground.say(f"{name}: exit code {code}, {message}")
        started += [name] if code == 0 else []
        unclear += [f"{name}: {message}"] if bank.database.name not in message else []
        changed += [name] if _content(bank.database) != before else []
    return (
        at_least("damages", len(DAMAGES), len(DAMAGES)),
        none_of("starts on a damaged register", started),
        none_of("refusals that do not name the file", unclear),
        none_of("files changed or made anew by the attempt", changed),
    )


def _content(file: Path) -> bytes | None:
    return file.read_bytes() if file.exists() else None


def cut_log(ground: Ground) -> tuple[Finding, ...]:
    """Take the end of the log of a killed server away; SQLite takes what is left for all."""
    with ground.running() as bank:
        load = ground.load(bank)
        with load.at_work():
            while load.acknowledged < CHANGES:
                time.sleep(0.05)
        load.settle()
        head = json.loads(_audit(bank, "show", "--json").stdout)["head"]
        bank.kill()
        log = Path(f"{bank.database}-wal")
        os.truncate(log, FRAMES_LEFT)
        Path(f"{bank.database}.head").unlink(missing_ok=True)  # else the start is refused
        bank.start()
        missing = lost(bank, load.ledgers)
        foreseen = _audit(bank, "verify", "--expect-head", head)
        return (
            at_least("changes that were cut away", 1, len(missing)),
            none_of("damage found by the database in what is left", bank.damage()),
            audit_finding(bank),
            holds(
                "`enrol audit verify --expect-head` with the head noted before",
                f"exit code {foreseen.returncode}",
                met=foreseen.returncode == 1,
                to_reach="exit code 1: the loss is seen",
            ),
        )


def _audit(bank: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "enrol", "audit", *arguments]
    return subprocess.run(
        [*command, "--config", str(bank.folder / "enrol.toml")],
        env=os.environ | bank.variables,
        capture_output=True,
        text=True,
        check=False,
    )


FAULTS = (
    Fault(
        "F-15",
        "another program holds the write lock of the register for 10 s under load",
        lock_held,
    ),
    Fault(
        "F-15",
        "another program copies the register online, again and again, under load",
        copied_meanwhile,
    ),
    Fault(
        "F-17",
        "the file of the register is damaged in nine ways while no server runs",
        damaged_file,
    ),
    Fault("F-17", "the log of a killed server is cut away but for its beginning", cut_log),
)
