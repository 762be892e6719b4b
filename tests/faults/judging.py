"""The findings that every fault ends with: what must hold of the register (I1 to I4)."""

import json
import os
import subprocess
import sys

from faults.load import Load, Visitor
from faults.result import Finding, holds, none_of
from live.desk import Desk
from live.invariants import halves, invented, lost

BANNED = frozenset({500})


def register_findings(
    bank: Desk, load: Load, *visitors: Visitor, audit: bool = True
) -> list[Finding]:
    """Return the findings about the register of a bank that runs, once the fault is over.

    Open steps are asked for again first, and registrations that were acknowledged before.
    """
    unanswered = load.settle()
    load.repeat()
    ledgers = [*load.ledgers, *(visitor.ledger for visitor in visitors)]
    findings = [
        none_of(
            "acknowledged changes lost (I1)", lost(bank, ledgers), f" of {load.acknowledged:,}"
        ),
        none_of("changes not acknowledged when asked for again", unanswered),
        none_of(
            "clients nobody was told of, requests that happened twice (I2)", invented(bank, ledgers)
        ),
        none_of("half rows (I3)", halves(bank, ledgers)),
        none_of("damage found by the database (I4)", bank.damage()),
    ]
    return [*findings, audit_finding(bank)] if audit else findings


def audit_finding(bank: Desk) -> Finding:
    """Return whether the chain of the audit trail and its evidence hold (I4)."""
    command = [sys.executable, "-m", "enrol", "audit", "verify", "--json"]
    done = subprocess.run(
        [*command, "--config", str(bank.folder / "enrol.toml")],
        env=os.environ | bank.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    head = json.loads(done.stdout).get("events", "?") if done.stdout.startswith("{") else "?"
    measured = f"holds, up to event {head}" if done.returncode == 0 else done.stderr.strip()[-200:]
    metric = "`enrol audit verify` (I4)"
    return holds(metric, measured, met=done.returncode == 0, to_reach="holds")


def no_500(load: Load) -> Finding:
    """Return whether a fault was answered as a defect."""
    found = [f"{a.status} {a.code}" for a in load.answers if a.status in BANNED]
    return none_of("answers 500", found, f" of {len(load.answers):,}")
