"""Rate limits that several servers keep together without asking each other about every request.

Each counts what comes to it, and tells the others every second what it let through. So a caller
who asks all of them at once may get what the rate allows from each; what is too much is counted,
and nothing more is let through until the rate has made up for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nlargest
from operator import itemgetter
from typing import Annotated, Final, Protocol

import msgspec
from msgspec import Meta

from enrol.errors import UnavailableError
from enrol.registration.ports import Clock
from enrol.registration.ratelimit import Caller, LocalRateLimiter, Rate

EVERY: Final = 1.0
"""Seconds between two exchanges."""

MOST_TOLD: Final = 2_000
"""Callers of one limiter that are told of in one exchange; those who took most come first."""

_KEPT: Final = timedelta(minutes=1)
_MOST_COUNTED: Final = 20_000

NameOf = Callable[[Caller], bytes]
"""Names a caller the same on every server, and tells nobody else who it is."""


class Spent(msgspec.Struct, frozen=True, array_like=True):
    """How many requests of a caller one limiter let through; callers are named by 16 bytes."""

    limiter: Annotated[str, Meta(max_length=32)]
    caller: Annotated[bytes, Meta(min_length=16, max_length=16)]
    count: Annotated[int, Meta(ge=1)]


class Turn(msgspec.Struct, frozen=True):
    """What a server let through in one second that ended `age` ago; `number` counts its turns."""

    number: int
    age: timedelta
    spent: tuple[Spent, ...]


class Exchange(Protocol):
    """Where servers tell each other what they let through."""

    async def exchange(self, own: Sequence[Turn]) -> Sequence[Turn]:
        """Tell the others of own turns, and return theirs that were not returned before.

        A turn that is told twice counts once. Raises `UnavailableError`, and then own turns may or
        may not have been told.
        """


class SharedRateLimiter:
    """Counts what comes to this server, and what others say has come to them."""

    def __init__(self, rate: Rate, name_of: NameOf) -> None:
        self._local = LocalRateLimiter(rate)
        self._most = 2 * rate.count
        self._name_of = name_of
        self._spent: dict[bytes, int] = {}

    @property
    def refused(self) -> int:
        """How many requests were beyond the rate."""
        return self._local.refused

    async def take(self, caller: Caller, at: datetime) -> None:
        """Count one request; raises `RateLimitError` where it exceeds the rate."""
        name = self._name_of(caller)
        await self._local.take(name, at)
        if name in self._spent or len(self._spent) < _MOST_COUNTED:
            self._spent[name] = self._spent.get(name, 0) + 1

    def told(self) -> list[tuple[bytes, int]]:
        """Return what was let through since the last time, of those callers who took most."""
        spent, self._spent = self._spent, {}
        if len(spent) <= MOST_TOLD:
            return [*spent.items()]
        return nlargest(MOST_TOLD, spent.items(), key=itemgetter(1))

    def learn(self, caller: bytes, at: datetime, *, count: int) -> None:
        """Count what another server let through in a second; no more than it can have."""
        self._local.spend(caller, at, count=min(count, self._most))


class SharedLimits:
    """The limiters of this server, as one with those of others."""

    def __init__(
        self, limiters: Mapping[str, SharedRateLimiter], exchange: Exchange, clock: Clock
    ) -> None:
        self._limiters = limiters
        self._exchange = exchange
        self._clock = clock
        self._untold: deque[tuple[int, datetime, tuple[Spent, ...]]] = deque()
        self._number = 0
        self.failed = False
        """Whether the last exchange failed, so that servers count each for itself."""

    async def run(self) -> None:
        """Exchange every second; to be cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self.turn()

    async def turn(self) -> None:
        """Tell and learn; what cannot be told is told later, unless it is over by then."""
        at = self._clock()
        self._collect(at)
        own = [
            Turn(number, max(at - made, timedelta(0)), spent)
            for number, made, spent in self._untold
        ]
        try:
            others = await self._exchange.exchange(own)
        except UnavailableError:
            self.failed = True
            return
        self.failed = False
        self._untold.clear()
        for turn in sorted(others, key=lambda each: each.age, reverse=True):
            self._learn(turn, at - max(turn.age, timedelta(0)))

    def _collect(self, at: datetime) -> None:
        """Put what was let through since the last turn to what is to be told."""
        spent = tuple(
            Spent(name, caller, count)
            for name, limiter in self._limiters.items()
            for caller, count in limiter.told()
        )
        if spent:
            self._number += 1
            self._untold.append((self._number, at, spent))
        while self._untold and self._untold[0][1] < at - _KEPT:
            self._untold.popleft()

    def _learn(self, turn: Turn, at: datetime) -> None:
        for spent in turn.spent:
            limiter = self._limiters.get(spent.limiter)
            if limiter is not None:
                limiter.learn(spent.caller, at, count=spent.count)
