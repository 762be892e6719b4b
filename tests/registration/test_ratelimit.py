"""Rates are kept to the request."""

from datetime import UTC, datetime, timedelta

import pytest

from enrol.errors import RateLimitError
from enrol.registration.ratelimit import Rate, RateLimiter

AT = datetime(2026, 11, 24, tzinfo=UTC)
TEN_A_MINUTE = Rate(10, timedelta(minutes=1))


def test_as_many_as_the_rate_pass_at_once_and_the_next_waits() -> None:
    limiter = RateLimiter(TEN_A_MINUTE)
    for _ in range(10):
        limiter.take("tpp", AT)
    with pytest.raises(RateLimitError) as refusal:
        limiter.take("tpp", AT)
    assert refusal.value.retry_after == 6


def test_a_refused_request_costs_nothing() -> None:
    limiter = RateLimiter(TEN_A_MINUTE)
    for _ in range(10):
        limiter.take("tpp", AT)
    for _ in range(100):
        with pytest.raises(RateLimitError):
            limiter.take("tpp", AT)
    limiter.take("tpp", AT + timedelta(seconds=6))


def test_one_caller_does_not_pay_for_another() -> None:
    limiter = RateLimiter(Rate(1, timedelta(minutes=1)))
    limiter.take("a", AT)
    limiter.take("b", AT)


def test_no_rate_is_no_limit() -> None:
    limiter = RateLimiter(None)
    for _ in range(1000):
        limiter.take("tpp", AT)
