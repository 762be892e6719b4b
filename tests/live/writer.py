"""Parties that change clients without pause, and know what they were told."""

import http.client
import random
import threading
from dataclasses import dataclass, field

from live.desk import Desk
from live.operations import DELETION, REGISTRATION, UPDATE, Operation
from live.party import Draft, Party, Reply

CHANGES = "('client.registered', 'client.updated', 'client.deleted')"


@dataclass
class Step:
    """One change that a writer asks for; `client_id` is empty while there is none."""

    operation: Operation
    client_id: str
    draft: Draft

    @property
    def request_id(self) -> str:
        return str(self.draft.get("x-request-id"))


@dataclass
class Writer:
    """A party that changes clients of its own, and what it knows of them.

    `clients` holds the version of each living client as acknowledged; `unanswered` is the step
    whose answer was never seen.
    """

    party: Party
    chance: random.Random
    clients: dict[str, int] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)
    drafts: list[Step] = field(default_factory=list)
    unanswered: Step | None = None
    surprise: Reply | None = None

    def work(self, enough: threading.Semaphore) -> None:
        """Change clients without pause until the connection breaks."""
        try:
            while self.surprise is None:
                step = self.unanswered = self._think_of_one()
                self.drafts.append(step)
                self.send(step)
                enough.release()
        except (OSError, http.client.HTTPException):
            self.party.close()

    def send(self, step: Step) -> None:
        """Send a step and note what its answer says."""
        reply = self.party.send(step.draft)
        if reply.status != step.operation.success:
            self.surprise = reply
            return
        if step.operation is REGISTRATION:
            client_id = reply.json["client_id"]
            self.clients[client_id] = 1
            self.registered[step.request_id] = client_id
        elif step.operation is UPDATE:
            self.clients[step.client_id] += 1
        else:
            del self.clients[step.client_id]
        self.unanswered = None

    def _think_of_one(self) -> Step:
        operation = self.chance.choices((REGISTRATION, UPDATE, DELETION), (6, 2, 1))[0]
        if not self.clients:
            operation = REGISTRATION
        client_id = "" if operation is REGISTRATION else self.chance.choice([*self.clients])
        return Step(operation, client_id, operation.request(self.party, client_id))


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
    standing = dict(bank.rows("SELECT client_id, version FROM clients"))
    for writer in writers:
        open_one = writer.unanswered.client_id if writer.unanswered else None
        for client_id, version in writer.clients.items():
            assert client_id == open_one or standing[client_id] == version
    for writer in writers:
        if writer.unanswered is not None:
            writer.send(writer.unanswered)
            assert writer.surprise is None


def check_nothing_invented(bank: Desk, writers: list[Writer]) -> None:
    """Check that the register is what the writers know, and that its rows belong together."""
    known = {c: version for writer in writers for c, version in writer.clients.items()}
    assert dict(bank.rows("SELECT client_id, version FROM clients")) == known
    assert {c for (c,) in bank.rows("SELECT DISTINCT client_id FROM client_keys")} == known.keys()
    asked = sorted(step.request_id for writer in writers for step in writer.drafts)
    ledger = bank.rows("SELECT request_id FROM ledger ORDER BY request_id")
    events = bank.rows(
        f"SELECT request_id FROM audit_events WHERE type IN {CHANGES} ORDER BY request_id"
    )
    assert [request_id for (request_id,) in ledger] == asked
    assert [request_id for (request_id,) in events] == asked
    assert bank.rows("PRAGMA integrity_check") == [("ok",)]
