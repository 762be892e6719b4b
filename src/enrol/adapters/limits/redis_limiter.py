"""A rate that Redis counts, and this process too, so that there is always a limit."""

from datetime import datetime, timedelta
from typing import Protocol

from enrol.errors import UnavailableError
from enrol.registration.ratelimit import Caller, LocalRateLimiter, Rate
from enrol.registration.shared_limits import NameOf

_NONE = timedelta(0)


class Rates(Protocol):
    """What counts for all servers."""

    async def take(self, key: bytes, rate: Rate) -> timedelta | None:
        """Count a request, or return until when there is no room for it; None is no answer."""


class RedisRateLimiter:
    """Counts in `rates`, and what is let through here as well.

    Who is beyond the rate here alone is refused without asking. Where nobody answers, this process
    goes on counting by itself; with `refuses` it lets nobody in.
    """

    def __init__(
        self, name: str, rate: Rate, rates: Rates, *, name_of: NameOf, refuses: bool
    ) -> None:
        self._local = LocalRateLimiter(rate)
        self._prefix = f"enrol:{name}:".encode()
        self._rate = rate
        self._rates = rates
        self._name_of = name_of
        self._refuses = refuses

    @property
    def refused(self) -> int:
        """How many requests were beyond the rate."""
        return self._local.refused

    async def take(self, caller: Caller, at: datetime) -> None:
        """Count one request; raises `RateLimitError` where it exceeds the rate.

        Raises `UnavailableError` ``limits_unavailable`` where nobody answers and it refuses then.
        """
        self._local.check(caller, at)
        wait = await self._rates.take(
            self._prefix + self._name_of(caller).hex().encode(), self._rate
        )
        if wait is None:
            if self._refuses:
                raise UnavailableError("limits_unavailable", retry_after=1)
            await self._local.take(caller, at)
        elif wait > _NONE:
            raise self._local.refusal(wait)
        else:
            self._local.spend(caller, at)
