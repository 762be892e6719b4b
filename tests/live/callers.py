"""Parties that register without pause, each request strictly once, until they are told to stop."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from live.party import Party, Reply
from live.served import until


@dataclass
class Caller:
    """A party on a thread of its own; it keeps its connection if `keeps` is true."""

    party: Party
    keeps: bool
    created: list[str] = field(default_factory=list)
    turned_away: list[Reply] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether it was turned away, or left without an answer."""
        return bool(self.turned_away or self.failures)

    def work(self, enough: threading.Event) -> None:
        """Register until told to stop, turned away, or left without an answer."""
        while not (enough.is_set() or self.is_over):
            draft = self.party.post()
            try:
                reply = self.party.send_once(draft)
            except Exception as exc:
                self.failures.append(exc)
                continue
            if reply.status == 201:
                self.created.append(reply.json["client_id"])
            else:
                self.turned_away.append(reply)
            if not self.keeps:
                self.party.close()


def more_from(callers: list[Caller]) -> None:
    """Wait until every caller has registered a few more, or has failed to."""
    goals = [len(each.created) + 2 for each in callers]
    until(
        lambda: all(c.is_over or len(c.created) >= n for c, n in zip(callers, goals, strict=True))
    )


@contextmanager
def calling(parties: list[Party], *, keeps: bool) -> Iterator[list[Caller]]:
    """Let parties call meanwhile."""
    callers = [Caller(party, keeps) for party in parties]
    for caller in callers:
        assert caller.party.token
    enough = threading.Event()
    threads = [threading.Thread(target=each.work, args=(enough,)) for each in callers]
    for thread in threads:
        thread.start()
    try:
        yield callers
    finally:
        enough.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
