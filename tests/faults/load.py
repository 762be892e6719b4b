"""Parties that change clients whatever befalls the bank, and keep a ledger outside of it.

A change that was refused for now, or whose answer was lost, is asked for again with the same bytes
until it is acknowledged, as a TPP is told to.
"""

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from live.ledger import Ledger
from live.party import Draft, Party, Reply

NO_ANSWER = 0
FOR_NOW = frozenset({408, 429, 503})
_PAUSE = 0.05


class Answer(NamedTuple):
    """One request: when it was begun (monotonic), its seconds, status, code and Retry-After."""

    began: float
    seconds: float
    status: int
    code: str = ""
    retry_after: int = 0

    @property
    def ended(self) -> float:
        return self.began + self.seconds


@dataclass
class Worker:
    """A party on a thread of its own that changes clients; `answers` are all it got."""

    party: Party
    chance: random.Random
    ledger: Ledger = field(default_factory=Ledger)
    answers: list[Answer] = field(default_factory=list)

    @classmethod
    def of(cls, party: Party, seed: int) -> Self:
        return cls(party, random.Random(seed))

    def work(self, over: threading.Event) -> None:
        """Change clients until it is over."""
        while not over.is_set():
            if self.ledger.open is None:
                self.ledger.begin(self.party, self.chance)
            if not self.attempt():
                over.wait(_PAUSE)

    def settle(self, within: float) -> bool:
        """Ask for the open step until it is acknowledged; False where it is not in time."""
        end = time.monotonic() + within
        while self.ledger.open is not None and not self.attempt():
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE)
        return True

    def attempt(self) -> bool:
        """Ask once for the open step, and say whether it was acknowledged."""
        assert self.ledger.open is not None
        reply = self._ask(self.ledger.open.draft)
        if reply is not None and reply.status == 401 and reply.json["error"] == "invalid_token":
            self._renew_token(self.ledger.open.draft)
        return reply is not None and self.ledger.settle(reply)

    def _renew_token(self, draft: Draft) -> None:
        """Ask for another token, as a TPP does whose token has expired; the bytes stay."""
        answer, reply = ask(self.party, self.party.token_draft())
        self.answers.append(answer)
        if reply is not None and reply.status == 200:
            self.party.use_token(reply.json["access_token"])
            draft.set("Authorization", f"Bearer {self.party.token}")

    def repeat(self) -> None:
        """Ask again for the last registrations that were acknowledged."""
        for step in self.ledger.registrations:
            if step.request_id in self.ledger.registered:
                reply = self._ask(step.draft)
                if reply is not None:
                    self.ledger.compare(step, reply)

    def _ask(self, draft: Draft) -> Reply | None:
        answer, reply = ask(self.party, draft)
        self.answers.append(answer)
        return reply


def ask(party: Party, draft: Draft) -> tuple[Answer, Reply | None]:
    """Send once and return what came of it; a broken connection is status 0."""
    began = time.monotonic()
    try:
        reply = party.send_once(draft)
    except (OSError, http.client.HTTPException):
        return Answer(began, time.monotonic() - began, NO_ANSWER), None
    code = reply.code if reply.status >= 400 else ""
    retry_after = int(reply.fields.get("retry-after", "0"))
    return Answer(began, time.monotonic() - began, reply.status, code, retry_after), reply


@dataclass
class Load:
    """Several workers, at work as long as the block lasts."""

    workers: list[Worker]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        over = threading.Event()
        threads = [threading.Thread(target=each.work, args=(over,)) for each in self.workers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join(timeout=60)

    def settle(self, within: float = 30) -> list[str]:
        """Ask for all open steps again, and return those that stayed so."""
        late = [worker for worker in self.workers if not worker.settle(within)]
        return [f"{w.ledger.open.operation.name} {w.answers[-1]}" for w in late if w.ledger.open]

    def repeat(self) -> None:
        """Ask again for registrations that were acknowledged."""
        for worker in self.workers:
            worker.repeat()

    @property
    def ledgers(self) -> list[Ledger]:
        return [worker.ledger for worker in self.workers]

    @property
    def answers(self) -> list[Answer]:
        """All answers, by the time of their request."""
        return sorted(answer for worker in self.workers for answer in worker.answers)

    @property
    def acknowledged(self) -> int:
        """How many changes were acknowledged."""
        return sum(len(ledger.asked) - (ledger.open is not None) for ledger in self.ledgers)

    def close(self) -> None:
        for worker in self.workers:
            worker.party.close()


@dataclass
class Visitor:
    """The well-behaved TPP beside the load: reads a client of its own at a steady pace."""

    party: Party
    ledger: Ledger
    every: float = 0.1
    answers: list[Answer] = field(default_factory=list)

    @contextmanager
    def visiting(self) -> Iterator[Self]:
        over = threading.Event()
        thread = threading.Thread(target=self._visit, args=(over,))
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join(timeout=60)

    def _visit(self, over: threading.Event) -> None:
        (client_id,) = self.ledger.clients
        while not over.wait(self.every):
            draft = self.party.signed(self.party.draft("GET", client_id))
            self.answers.append(ask(self.party, draft)[0])

    @classmethod
    def registered(cls, party: Party, every: float = 0.1) -> Self:
        """Return a visitor with a client of its own."""
        worker = Worker.of(party, 0)
        worker.ledger.begin(party, worker.chance)
        assert worker.attempt(), worker.answers
        return cls(party, worker.ledger, every)

    @property
    def p99(self) -> float:
        """The 99th percentile of its latencies, in seconds; those without an answer count."""
        seconds = sorted(answer.seconds for answer in self.answers)
        return seconds[len(seconds) * 99 // 100] if seconds else float("inf")

    @property
    def share_ok(self) -> float:
        """The share of its requests that were answered 200."""
        return sum(a.status == 200 for a in self.answers) / max(1, len(self.answers))


def unexpected(answers: Iterable[Answer], *also: int) -> list[str]:
    """Return the answers that are no success, no refusal for now and no lost connection."""
    expected = {NO_ANSWER, 200, 201, 204, *FOR_NOW, *also}
    return [f"{a.status} {a.code}" for a in answers if a.status not in expected]


def statuses(answers: Iterable[Answer]) -> str:
    """Return how often each status came, for people."""
    counts = Counter(answer.status for answer in answers)
    return ", ".join(f"{status or 'none'} × {count}" for status, count in sorted(counts.items()))
