"""Rates counted in Redis or Valkey, for all servers at once; imported only where it is set.

The time is that of Redis, so that clocks of servers may differ. One number a caller is kept, under
a name that does not tell who it is, and no longer than the rate looks back.
"""

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from enrol.adapters.limits.breaker import Breaker
from enrol.registration.ratelimit import Rate

DEADLINE: Final = 0.1
"""Seconds within which Redis has to answer."""

CONNECTIONS: Final = 16

_log = structlog.get_logger(__name__)

_MICROSECOND: Final = timedelta(microseconds=1)
_MILLISECOND: Final = timedelta(milliseconds=1)

_TAKE: Final = """
local clock = redis.call('TIME')
local at = clock[1] * 1000000 + clock[2]
local interval, period = tonumber(ARGV[1]), tonumber(ARGV[2])
local due = tonumber(redis.call('GET', KEYS[1]) or nil) or at
due = math.min(math.max(due, at), at + period)
local wait = due - at - (period - interval)
if wait > 0 then
  return math.ceil(wait / 1000)
end
due = due + interval
redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', math.ceil((due - at) / 1000))
return 0
"""
"""Counts one request at key 1, or returns after how many milliseconds there is room for it.

Times are in microseconds: argument 1 is the interval of the rate, 2 its period. No caller is kept
waiting for longer than a period by a clock that was set back.
"""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is: ``redis://``, ``rediss://`` or ``unix://``; `ca` is a PEM file for its TLS.

    Without one the CAs of the system are believed.
    """

    url: str
    password: str | None = field(default=None, repr=False)
    ca: Path | None = None


class RedisRates:
    """One Redis that counts, and is left alone while it does not answer."""

    def __init__(self, address: RedisAddress, breaker: Breaker | None = None) -> None:
        self._redis = Redis.from_pool(_pool(address))
        self._script = self._redis.register_script(_TAKE)
        self._breaker = breaker or Breaker()

    @property
    def failed(self) -> bool:
        """Whether Redis is not asked, as it did not answer."""
        return self._breaker.is_open

    async def take(self, key: bytes, rate: Rate) -> timedelta | None:
        """Count a request, unless there is no room for it until the time that is returned.

        None says that Redis does not.
        """
        if not self._breaker.lets_through():
            return None
        period, interval = rate.period // _MICROSECOND, rate.interval // _MICROSECOND
        try:
            async with asyncio.timeout(DEADLINE):
                answer = await self._script(keys=[key], args=[interval, period])
            wait = _wait(answer, rate)
        except Exception as exc:  # whatever Redis says or does not, the request goes on
            self._failed(exc)
            return None
        if self._breaker.is_open:
            _log.warning("limits_shared_again")
        self._breaker.succeeded()
        return wait

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    def _failed(self, exc: Exception) -> None:
        was_open = self._breaker.is_open
        self._breaker.failed()
        if self._breaker.is_open and not was_open:
            _log.error("limits_not_shared", cause=type(exc).__name__)


def _wait(answer: object, rate: Rate) -> timedelta:
    """Return what the script says; raises `ValueError` for what it cannot say."""
    if type(answer) is not int or not 0 <= answer <= rate.period // _MILLISECOND:
        raise ValueError("not an answer of the script")
    return timedelta(milliseconds=answer)


def _pool(address: RedisAddress) -> BlockingConnectionPool:
    """Return connections that are made when they are needed, and never tried twice."""
    tls: dict[str, object] = {}
    if address.url.startswith("rediss:"):
        tls = {"ssl_min_version": ssl.TLSVersion.TLSv1_2}
        if address.ca is not None:
            tls["ssl_ca_certs"] = str(address.ca)
    return BlockingConnectionPool.from_url(
        address.url,
        password=address.password,
        max_connections=CONNECTIONS,
        timeout=DEADLINE,
        socket_timeout=DEADLINE,
        socket_connect_timeout=DEADLINE,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        **tls,
    )
