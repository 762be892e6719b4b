"""docs/reference/reliability.md, as a run writes it."""

import os
import platform
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

from faults.result import Result

_HEAD = """# Reliability

What became of the register when something went wrong under load.
This page is written by the command:

    {command}

TPPs register, update and delete clients, and keep books of what was acknowledged.
After the fault every change without an answer is asked for again.
Then the register is compared with the books:

- I1: everything that was acknowledged is there
- I2: nothing is there that nobody asked for, and nothing twice
- I3: no row is without those that belong to it
- I4: the database is sound, and the audit trail holds
"""


def page(results: Sequence[Result], command: str) -> str:
    """Return the page of what a command found."""
    lines = [
        _HEAD.format(command=command),
        _machine(),
        "",
        "| fault | register | what was done | verdict | seconds |",
    ]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {each.fault} | {each.storage} | {each.done} | {each.verdict} | {each.seconds:.0f} |"
        for each in results
    ]
    for each in results:
        lines += ["", f"## {each.fault}, {each.storage}: {each.done}", ""]
        if each.reason:
            lines.append(f"Not run: {each.reason}.")
            continue
        lines += ["| metric | to reach | measured | |", "|---|---|---|---|"]
        lines += [
            f"| {found.metric} | {found.to_reach} | {_cell(found.measured)} "
            f"| {'met' if found.met else '**missed**'} |"
            for found in each.findings
        ]
    return "\n".join(lines) + "\n"


def _machine() -> str:
    today = datetime.now(UTC).date().isoformat()
    return (
        f"Measured on {today}: {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}."
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
