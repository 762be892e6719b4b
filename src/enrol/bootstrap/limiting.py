"""The rate limits of this process, and what keeps them together with those of others."""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields

from enrol.adapters.location import PostgresUrl
from enrol.errors import ConfigurationError
from enrol.registration.meters import Reading
from enrol.registration.ports import Clock
from enrol.registration.ratelimit import Caller, LocalRateLimiter, Rate, RateLimiter
from enrol.registration.shared_limits import NameOf, SharedLimits, SharedRateLimiter
from enrol.settings import Settings, read_secret

_PURPOSE = b"enrol limits"


@dataclass(frozen=True, slots=True)
class Limiters:
    """What is counted: requests of a certificate, registrations, failures of an address."""

    requests: RateLimiter
    registrations: RateLimiter
    failures: RateLimiter

    def named(self) -> dict[str, RateLimiter]:
        """Return each by its name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


async def _rest() -> None:
    """Wait for ever, as nothing has to be done."""
    await asyncio.Event().wait()


async def _close_nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Limiting:
    """The limiters, what runs beside them, and whether this process counts alone for now."""

    limiters: Limiters
    run: Callable[[], Awaitable[None]] = _rest
    aclose: Callable[[], Awaitable[None]] = _close_nothing
    is_alone: Callable[[], bool] = bool

    async def serve(self) -> None:
        """Keep the limits together with those of others; to be cancelled."""
        try:
            await self.run()
        finally:
            await self.aclose()

    def readings(self) -> list[Reading]:
        """Return whether this process counts alone for now."""
        told = "1 where rates are not kept together with other servers, as they are out of reach"
        return [Reading("enrol_limits_alone", told, self.is_alone)]


def limiting_of(settings: Settings, secret: bytes, clock: Clock) -> Limiting:
    """Return the limits of the settings; raises `ConfigurationError`."""
    rates = _rates(settings)
    if not rates:
        return Limiting(Limiters(*(LocalRateLimiter(None) for _ in fields(Limiters))))
    if settings.limits.redis is not None:
        return _in_redis(settings, rates, names_of(secret))
    location = settings.location
    if isinstance(location, PostgresUrl):
        return _by_postgres(location, rates, names_of(secret), clock)
    return Limiting(Limiters(**{name: LocalRateLimiter(rate) for name, rate in rates.items()}))


def names_of(secret: bytes) -> NameOf:
    """Return how callers are named on every server of this secret."""
    key = hmac.digest(secret, _PURPOSE, "sha256")

    def name_of(caller: Caller) -> bytes:
        octets = caller if isinstance(caller, bytes) else caller.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(octets, key=key, digest_size=16).digest()

    return name_of


def _rates(settings: Settings) -> dict[str, Rate]:
    """Return the rate of each limiter, none where rates are off."""
    limits = settings.limits
    counts = {
        "requests": limits.requests_per_minute,
        "registrations": limits.registrations_per_minute,
        "failures": limits.failures_per_minute,
    }
    rates = {name: settings.rate(count) for name, count in counts.items()}
    return {name: rate for name, rate in rates.items() if rate is not None}


def _in_redis(settings: Settings, rates: dict[str, Rate], name_of: NameOf) -> Limiting:
    try:
        from enrol.adapters.limits.redis_limiter import RedisRateLimiter  # noqa: PLC0415
        from enrol.adapters.limits.redis_store import RedisAddress, RedisRates  # noqa: PLC0415
    except ImportError as exc:
        raise ConfigurationError(
            "redis_not_installed",
            "limits.redis is set, and its client is not installed: pip install 'enrol[redis]'.",
        ) from exc
    given = settings.limits
    password = None if given.redis_password is None else read_secret(given.redis_password).decode()
    redis = RedisRates(RedisAddress(given.redis or "", password, given.redis_ca))
    refuses = given.redis_failure == "refuse"
    limiters = {
        name: RedisRateLimiter(name, rate, redis, name_of=name_of, refuses=refuses)
        for name, rate in rates.items()
    }
    return Limiting(Limiters(**limiters), aclose=redis.aclose, is_alone=lambda: redis.failed)


def _by_postgres(
    location: PostgresUrl, rates: dict[str, Rate], name_of: NameOf, clock: Clock
) -> Limiting:
    from enrol.adapters.postgres.limits import PostgresExchange  # noqa: PLC0415 - not with SQLite

    exchange = PostgresExchange(location)
    limiters = {name: SharedRateLimiter(rate, name_of) for name, rate in rates.items()}
    shared = SharedLimits(limiters, exchange, clock)
    return Limiting(
        Limiters(**limiters),
        run=shared.run,
        aclose=exchange.aclose,
        is_alone=lambda: shared.failed,
    )
