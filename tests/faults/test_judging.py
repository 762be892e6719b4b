"""The judgement of faults: what is amiss is seen, and a run that proves nothing is not met."""

from typing import Any

import pytest

from faults.report import page
from faults.result import Finding, Result, Verdict, at_least, at_most, none_of
from live.invariants import halves, invented, lost
from live.ledger import Ledger

TABLES = {
    "client_id, version FROM clients": [("c-1", 1)],
    "client_id FROM clients": [("c-1",)],
    "DISTINCT client_id FROM client_keys": [("c-1",)],
    "request_id, client_id FROM ledger": [("r-1", "c-1")],
    "request_id FROM ledger": [("r-1",)],
    "request_id FROM audit_events": [("r-1",)],
}


class Books:
    """A register with one client at version 1, registered by one request."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        words = sql.removeprefix("SELECT ").partition(" WHERE")[0].strip()
        return TABLES[words]

    def damage(self) -> list[str]:
        return []


def ledger(**changed: Any) -> Ledger:
    kept = Ledger(clients={"c-1": 1}, registered={"r-1": "c-1"}, asked=["r-1"])
    for name, value in changed.items():
        setattr(kept, name, value)
    return kept


def test_a_register_that_is_what_was_acknowledged_has_no_fault():
    books = Books()
    assert (lost(books, [ledger()]), invented(books, [ledger()]), halves(books, [ledger()])) == (
        [],
        [],
        [],
    )


@pytest.mark.parametrize(
    "kept",
    [
        ledger(clients={"c-1": 1, "c-2": 1}),
        ledger(clients={"c-1": 2}),
        ledger(clients={}, removed={"c-1"}),
    ],
)
def test_an_acknowledged_change_that_is_not_there_is_lost(kept):
    assert len(lost(Books(), [kept])) == 1


@pytest.mark.parametrize(
    "kept",
    [ledger(clients={}), ledger(asked=[]), ledger(registered={"r-1": "c-9"})],
)
def test_what_nobody_was_told_of_is_invented(kept):
    assert len(invented(Books(), [kept])) == 1


def test_a_request_that_was_asked_for_and_left_no_trace_is_half():
    assert len(halves(Books(), [ledger(asked=["r-1", "r-2"])])) == 2


@pytest.mark.parametrize(
    ("findings", "verdict"),
    [
        ((), Verdict.NOT_RUN),
        ((at_most("seconds", 2, 1.5),), Verdict.MET),
        ((at_most("seconds", 2, 2.5),), Verdict.MISSED),
        ((at_least("kills", 2, 2), none_of("lost", ["c-1"])), Verdict.MISSED),
    ],
)
def test_a_run_is_met_where_all_it_found_is(findings, verdict):
    assert Result("F-01", "SQLite", "kill", findings).verdict is verdict


def test_the_page_says_what_was_missed_and_what_was_not_run():
    missed = Result("F-01", "SQLite", "kill", (Finding("lost", "0", "1: a|b", met=False),))
    not_run = Result("F-06", "SQLite", "disk full", (), reason="needs root")
    text = page([missed, not_run], "make faults", {"CPU": "one"})
    assert "| lost | 0 | 1: a\\|b | **missed** |" in text
    assert "Not run: needs root." in text
    assert "| F-06 | SQLite | disk full | **not run** | 0 |" in text
