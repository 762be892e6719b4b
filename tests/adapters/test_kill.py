"""A process killed at any moment loses nothing it acknowledged, and leaves no half change."""

import os
import subprocess
import sys
from pathlib import Path

from adapters.values import record
from enrol.adapters.sqlite import open_sqlite

PROGRAM = Path(__file__).with_name("commit_forever.py")
ROUNDS = 3
LIVING = {0: (1, 1, 0), 1: (2, 2, 0), 2: (None, 1, 1)}
"""By number modulo 3: the living version, the last version, whether it was removed."""


def acknowledged_before_kill(path: Path, first: int, enough: int) -> list[int]:
    """Let a process register clients, kill it once `enough` were acknowledged, return them all."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), str(path), str(first)],
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        lines = [process.stdout.readline() for _ in range(enough)]
        process.kill()
        lines += process.stdout.readlines()
    return [int(line) for line in lines]


async def test_nothing_acknowledged_is_lost(path, query):
    first, total = 1, 0
    for round_number in range(ROUNDS):
        numbers = acknowledged_before_kill(path, first, enough=100 + 37 * round_number)
        store = open_sqlite(path)
        for number in numbers:
            version, last, _ = LIVING[number % 3]
            found = await store.clients.find(record(number).client_id)
            assert (found.version if found else None) == version
            assert await store.clients.find_version(record(number).client_id, last) is not None
        await store.aclose()
        first, total = max(numbers) + 1000, total + len(numbers)
    assert total >= ROUNDS * 100
    assert query("PRAGMA integrity_check") == [("ok",)]
    assert query("PRAGMA foreign_key_check") == []
    (written,) = query("SELECT count(*) FROM ledger")
    assert query("SELECT count(*) FROM audit_events") == [written]
    (clients,) = query(
        "SELECT (SELECT count(*) FROM clients) + (SELECT sum(removed) FROM client_history)"
    )
    (ended,) = query("SELECT count(*) FROM client_history")
    assert written[0] == clients[0] + ended[0]
    assert query(
        "SELECT count(*) FROM clients WHERE client_id NOT IN (SELECT client_id FROM client_keys)"
    ) == [(0,)]
