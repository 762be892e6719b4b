"""What was acknowledged is there after the process ends without warning (F-01, F-03)."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.ground import NotHere
from faults.syscalls import findings_of_order
from live.desk import Desk
from live.party import Party
from live.writer import Writer, at_work, check_nothing_invented, check_nothing_lost, wait_for

ROUNDS = 20
WRITERS = 4
MOST_CHANGES = 40
SEED = 20261124


def kill_under_load(bank: Desk, writers: list[Writer], *, after: int) -> None:
    """Let the writers work, and kill the bank once `after` changes were acknowledged."""
    enough = threading.Semaphore(0)
    threads = at_work(writers, enough)
    for _ in range(after):
        assert enough.acquire(timeout=30)
    bank.kill()
    wait_for(threads)
    assert [writer.surprise for writer in writers] == [None] * len(writers)


def check_repeats(writer: Writer) -> None:
    """Check that bytes of former lives of the bank are answered as they were."""
    ledger = writer.ledger
    kept = [*ledger.registrations]
    for step in writer.chance.sample(kept, k=min(10, len(kept))):
        ledger.compare(step, writer.party.send(step.draft))
    assert ledger.contradictions == []


def test_no_acknowledged_change_is_lost_to_twenty_kills_under_load(
    desk: Desk,
    party_of: Callable[..., Party],
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    chance = random.Random(SEED)
    bank = desk.beside(tmp_path / "bank")
    bank.start()
    writers = [Writer(party_of(bank), random.Random(SEED + n)) for n in range(WRITERS)]
    for writer in writers:
        writer.party.token  # noqa: B018 - one token outlives all kills
    uncertain = 0
    for _ in range(ROUNDS):
        kill_under_load(bank, writers, after=chance.randint(0, MOST_CHANGES))
        bank.start()
        uncertain += sum(writer.ledger.open is not None for writer in writers)
        check_nothing_lost(bank, writers)
        check_nothing_invented(bank, writers)
    for writer in writers:
        check_repeats(writer)
    check_nothing_invented(bank, writers)
    asked = sum(len(writer.ledger.asked) for writer in writers)
    record_testsuite_property("changes acknowledged", asked - uncertain)
    record_testsuite_property("changes without an answer", uncertain)
    assert bank.stop() == 0


def test_the_answer_leaves_after_the_log_is_on_disk(
    desk: Desk, party_of: Callable[..., Party], tmp_path: Path
) -> None:
    with desk.beside(tmp_path / "bank") as bank:
        try:
            found = findings_of_order(party_of(bank), bank.process.pid, tmp_path)
        except NotHere as exc:
            pytest.skip(str(exc))
    assert [finding for finding in found if not finding.met] == []
