"""Rate limits by the generic cell rate algorithm, one number remembered a caller."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from enrol.errors import RateLimitError

_MOST_CALLERS = 50_000


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` requests in any `period`, all at once if they like."""

    count: int
    period: timedelta


class RateLimiter:
    """Counts requests by key against one rate; None is no limit.

    The longest silent callers are forgotten beyond 50 000, so memory is bounded. `refused` counts
    requests beyond the rate.
    """

    def __init__(self, rate: Rate | None) -> None:
        self._rate = rate
        self._due: OrderedDict[object, datetime] = OrderedDict()
        self.refused = 0

    def take(self, key: object, at: datetime) -> None:
        """Count one request of `key`; raises `RateLimitError` where it exceeds the rate."""
        if self._rate is None:
            return
        interval = self._rate.period / self._rate.count
        due = max(self._due.pop(key, at), at)
        wait = due - at - (self._rate.period - interval)
        if wait > timedelta(0):
            self._remember(key, due)
            self.refused += 1
            raise RateLimitError("rate_exceeded", retry_after=max(1, ceil(wait.total_seconds())))
        self._remember(key, due + interval)

    def _remember(self, key: object, due: datetime) -> None:
        self._due[key] = due
        if len(self._due) > _MOST_CALLERS:
            self._due.popitem(last=False)
