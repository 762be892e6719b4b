"""Rates are kept to the request."""

from datetime import UTC, datetime, timedelta

import pytest

from enrol.errors import RateLimitError
from enrol.registration.ratelimit import LocalRateLimiter, Rate

AT = datetime(2026, 11, 24, tzinfo=UTC)
TEN_A_MINUTE = Rate(10, timedelta(minutes=1))


async def test_as_many_as_the_rate_pass_at_once_and_the_next_waits() -> None:
    limiter = LocalRateLimiter(TEN_A_MINUTE)
    for _ in range(10):
        await limiter.take("tpp", AT)
    with pytest.raises(RateLimitError) as refusal:
        await limiter.take("tpp", AT)
    assert refusal.value.retry_after == 6


async def test_a_refused_request_costs_nothing() -> None:
    limiter = LocalRateLimiter(TEN_A_MINUTE)
    for _ in range(10):
        await limiter.take("tpp", AT)
    for _ in range(100):
        with pytest.raises(RateLimitError):
            await limiter.take("tpp", AT)
    await limiter.take("tpp", AT + timedelta(seconds=6))


async def test_one_caller_does_not_pay_for_another() -> None:
    limiter = LocalRateLimiter(Rate(1, timedelta(minutes=1)))
    await limiter.take("a", AT)
    await limiter.take("b", AT)


async def test_no_rate_is_no_limit() -> None:
    limiter = LocalRateLimiter(None)
    for _ in range(1000):
        await limiter.take("tpp", AT)


async def test_what_is_only_looked_at_is_not_counted() -> None:
    limiter = LocalRateLimiter(Rate(1, timedelta(minutes=1)))
    for _ in range(3):
        limiter.check("tpp", AT)
    await limiter.take("tpp", AT)
    with pytest.raises(RateLimitError) as refusal:
        limiter.check("tpp", AT + timedelta(seconds=20))
    assert (refusal.value.retry_after, limiter.refused) == (40, 1)


async def test_what_others_let_through_is_made_up_for() -> None:
    limiter = LocalRateLimiter(TEN_A_MINUTE)
    limiter.spend("tpp", AT, count=15)
    with pytest.raises(RateLimitError) as refusal:
        await limiter.take("tpp", AT)
    assert refusal.value.retry_after == 36
    await limiter.take("tpp", AT + timedelta(seconds=36))
