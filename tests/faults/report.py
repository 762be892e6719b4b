"""docs/reference/reliability.md, as a run writes it."""

import platform
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import cluster
from faults.catalogue import ELSEWHERE
from faults.result import Result, Verdict

_HEAD = """# Reliability

What became of the register when something went wrong under load.
This page is written by the command:

    {command}

`make faults ARGS="--only F-01"` makes one fault, and leaves this page alone.
The runs need root for disks of their own, strace, PostgreSQL, Redis and libfaketime.
What a machine cannot do is said to be not run, with the reason.

TPPs register, update and delete clients, and keep books of what was acknowledged.
A change that was refused for now, or whose answer was lost, is asked for again with the same bytes.
When the fault is over, so are all that have no answer yet, and the last registrations once more.
Then the register is compared with the books:

- I1: every change that was acknowledged is there
- I2: nothing is there that nobody was told of, and what was asked for twice happened once
- I3: client, keys, ledger and audit event stand together
- I4: `integrity_check` or `pg_amcheck` finds nothing, and the audit trail holds
"""

_FOOT = """## Not among these runs

Other numbers of the plan of faults are tested elsewhere, or not at all:
"""


def page(results: Sequence[Result], command: str, machine: Mapping[str, str]) -> str:
    """Return the page of what a command found."""
    lines = [_HEAD.format(command=command), _summary(results), ""]
    lines += ["| fault | register | what was done | verdict | seconds |", "|---|---|---|---|---:|"]
    lines += [
        f"| {each.fault} | {each.storage} | {each.done} | {_shown(each.verdict)} "
        f"| {each.seconds:.0f} |"
        for each in results
    ]
    for each in results:
        lines += ["", f"## {each.fault}, {each.storage}: {each.done}", "", *_body(each)]
    lines += ["", _FOOT]
    lines += [f"- {number}: {what}" for number, what in ELSEWHERE.items()]
    lines += ["", "## Machine", ""]
    versions = {
        "Python": f"{platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "PostgreSQL": cluster.version() or "not installed",
    }
    lines += [f"- {name}: {text}" for name, text in {**machine, **versions}.items()]
    return "\n".join(lines) + "\n"


def _summary(results: Sequence[Result]) -> str:
    today = datetime.now(UTC).date().isoformat()
    counts = [f"{sum(r.verdict is verdict for r in results)} {verdict}" for verdict in Verdict]
    return f"Of {len(results)} runs on {today}: {', '.join(counts)}."


def _body(result: Result) -> list[str]:
    if result.verdict is Verdict.NOT_RUN:
        return [f"Not run: {result.reason}."]
    rows = [
        f"| {_cell(found.metric)} | {found.to_reach} | {_cell(found.measured)} "
        f"| {_shown(Verdict.MET if found.met else Verdict.MISSED)} |"
        for found in result.findings
    ]
    return ["| metric | to reach | measured | |", "|---|---|---|---|", *rows]


def _shown(verdict: Verdict) -> str:
    return str(verdict) if verdict is Verdict.MET else f"**{verdict}**"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
