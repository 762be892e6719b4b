"""Parties that change clients without pause until something is amiss, and know what they heard."""

import http.client
import random
import threading
from dataclasses import dataclass, field

from live.desk import Desk
from live.invariants import halves, invented, lost
from live.ledger import Ledger
from live.party import Party, Reply


@dataclass
class Writer:
    """A party that changes clients of its own, and its ledger; it stops at the first surprise."""

    party: Party
    chance: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    surprise: Reply | None = None

    def work(self, enough: threading.Semaphore) -> None:
        """Change clients without pause until the connection breaks."""
        try:
            while self.surprise is None:
                self.ledger.begin(self.party, self.chance)
                self.send()
                enough.release()
        except (OSError, http.client.HTTPException):
            self.party.close()

    def send(self) -> None:
        """Send the open step and note what its answer says."""
        assert self.ledger.open is not None
        reply = self.party.send(self.ledger.open.draft)
        if not self.ledger.settle(reply):
            self.surprise = reply


def at_work(writers: list[Writer], enough: threading.Semaphore) -> list[threading.Thread]:
    """Let writers work on threads of their own; `enough` is released once a change."""
    threads = [threading.Thread(target=writer.work, args=(enough,)) for writer in writers]
    for thread in threads:
        thread.start()
    return threads


def wait_for(threads: list[threading.Thread]) -> None:
    """Wait until the writers have noticed that the bank is gone."""
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()


def check_nothing_lost(bank: Desk, writers: list[Writer]) -> None:
    """Check that acknowledged changes stand; then ask for the unanswered ones again."""
    assert lost(bank, [writer.ledger for writer in writers]) == []
    for writer in writers:
        if writer.ledger.open is not None:
            writer.send()
            assert writer.surprise is None


def check_nothing_invented(bank: Desk, writers: list[Writer]) -> None:
    """Check that the register is what the writers know, and that its rows belong together."""
    ledgers = [writer.ledger for writer in writers]
    assert (lost(bank, ledgers), invented(bank, ledgers), halves(bank, ledgers)) == ([], [], [])
    assert bank.damage() == []
