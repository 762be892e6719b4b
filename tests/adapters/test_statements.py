"""Lookups find their way by an index, so they stay fast however much is stored."""

import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import bindparam, select

from enrol.adapters import statements
from enrol.adapters.tables import clients

LOOKUPS = {
    "client": statements.FIND_CLIENT,
    "ended version": statements.FIND_ENDED_VERSION,
    "keys": statements.FIND_KEYS,
    "entry": statements.FIND_ENTRY,
    "entries": statements.find_entries(4),
    "versions": statements.find_versions(4),
    "token": statements.FIND_TOKEN,
    "quota": statements.COUNT_CLIENTS,
    "removal": statements.FIND_REMOVAL,
    "events": statements.FIND_EVENTS,
    "blob": statements.FIND_BLOB,
    "blobs": statements.FIND_BLOBS,
    "keys of a client": statements.CLIENT_KEYS,
    "removal of tokens": statements.DELETE_TOKENS,
    "removal of keys": statements.DELETE_KEYS,
    "removal of a client": statements.DELETE_CLIENT,
    "purge of tokens": statements.DELETE_EXPIRED_TOKENS,
    "assertion": statements.FIND_ASSERTION,
    "purge of assertions": statements.DELETE_EXPIRED_ASSERTIONS,
}
TABLES = ("clients", "client_history", "client_keys", "ledger", "access_tokens", "audit_events")
TABLES += ("used_assertions",)


@pytest.mark.parametrize("statement", LOOKUPS.values(), ids=list(LOOKUPS))
def test_lookup_reads_no_table_from_end_to_end(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {statement}", [None] * statement.count("?")
        ).fetchall()
    steps = [step for *_, step in plan]
    assert any("SEARCH" in step for step in steps)
    assert not [step for step in steps if step.startswith("SCAN") and step.split()[1] in TABLES]


def test_parameters_are_those_that_stand_beside_the_statement():
    statement = select(clients).where(clients.c.client_id == bindparam("client_id"))
    with pytest.raises(AssertionError, match="version"):
        statements.compiled(statement, "version")
