"""Rate limits by the generic cell rate algorithm, one number remembered a caller."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Protocol

from enrol.errors import RateLimitError

Caller = str | bytes
"""What a request is counted by."""

_MOST_CALLERS: Final = 50_000
_NONE: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in any `period`, all at once if they like."""

    count: int
    period: timedelta

    @property
    def interval(self) -> timedelta:
        """After how long there is room for one more."""
        return self.period / self.count


class RateLimiter(Protocol):
    """Counts requests by caller against one rate; `refused` counts those beyond it."""

    @property
    def refused(self) -> int:
        """How many requests were beyond the rate."""

    async def take(self, caller: Caller, at: datetime) -> None:
        """Count one request; raises `RateLimitError` where it exceeds the rate.

        Raises `UnavailableError` ``limits_unavailable`` where nobody can tell and nobody is let in.
        """


class LocalRateLimiter:
    """Counts what comes to this process; without a rate there is no limit.

    The longest silent callers are forgotten beyond 50 000, so memory is bounded.
    """

    def __init__(self, rate: Rate | None) -> None:
        self._limits = rate is not None
        self._interval = rate.interval if rate is not None else _NONE
        self._room = rate.period - self._interval if rate is not None else _NONE
        self._due: OrderedDict[Caller, datetime] = OrderedDict()
        self.refused = 0

    async def take(self, caller: Caller, at: datetime) -> None:
        """Count one request; raises `RateLimitError` where it exceeds the rate."""
        if not self._limits:
            return
        due = max(self._due.pop(caller, at), at)
        wait = due - at - self._room
        if wait > _NONE:
            self._remember(caller, due)
            raise self.refusal(wait)
        self._remember(caller, due + self._interval)

    def check(self, caller: Caller, at: datetime) -> None:
        """Raise `RateLimitError` where one more request would exceed the rate; count nothing."""
        wait = self._due.get(caller, at) - at - self._room
        if self._limits and wait > _NONE:
            raise self.refusal(wait)

    def spend(self, caller: Caller, at: datetime, *, count: int = 1) -> None:
        """Count requests that were let through, at `at`; they may be more than the rate."""
        if self._limits:
            due = max(self._due.pop(caller, at), at)
            self._remember(caller, due + count * self._interval)

    def refusal(self, wait: timedelta) -> RateLimitError:
        """Count a refused request and return its refusal; there is room after `wait`."""
        self.refused += 1
        return RateLimitError("rate_exceeded", retry_after=max(1, ceil(wait.total_seconds())))

    def _remember(self, caller: Caller, due: datetime) -> None:
        self._due[caller] = due
        if len(self._due) > _MOST_CALLERS:
            self._due.popitem(last=False)
