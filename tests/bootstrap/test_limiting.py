"""Where the rates of a server are counted."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from enrol.adapters.clock import system_clock
from enrol.adapters.limits.redis_limiter import RedisRateLimiter
from enrol.adapters.location import PostgresUrl
from enrol.bootstrap.limiting import limiting_of, names_of
from enrol.errors import ConfigurationError
from enrol.registration.ratelimit import LocalRateLimiter
from enrol.registration.shared_limits import SharedRateLimiter
from enrol.settings import Settings, load_settings
from enrol.settings.sections import LimitsSection
from test_settings import write

SECRET = b"s" * 32
SQLITE, POSTGRES = Path("enrol.db"), PostgresUrl("postgresql://server@db.test/enrol")
REDIS = "redis://127.0.0.1:1"


def limiting(location=SQLITE, **limits):
    settings = SimpleNamespace(limits=LimitsSection(**limits), location=location)
    settings.has_rates = settings.limits.rates == "on"
    settings.rate = lambda count: Settings.rate(settings, count)
    return limiting_of(settings, SECRET, system_clock)


@pytest.mark.parametrize(
    ("location", "limits", "kind"),
    [
        (SQLITE, {}, LocalRateLimiter),
        (SQLITE, {"redis": REDIS}, RedisRateLimiter),
        (POSTGRES, {}, SharedRateLimiter),
        (POSTGRES, {"redis": REDIS}, RedisRateLimiter),
        (POSTGRES, {"rates": "off", "redis": REDIS}, LocalRateLimiter),
    ],
)
def test_rates_are_counted_where_all_servers_are(location, limits, kind):
    made = limiting(location, **limits)
    assert {type(each) for each in made.limiters.named().values()} == {kind}
    assert [*made.limiters.named()] == ["requests", "registrations", "failures"]
    assert [reading.read() for reading in made.readings()] == [False]


async def test_rates_that_are_off_let_everything_through():
    made = limiting(rates="off")
    for _ in range(1000):
        await made.limiters.failures.take("192.0.2.1", system_clock())


def test_redis_without_its_client_is_said_so(monkeypatch):
    monkeypatch.delitem(sys.modules, "enrol.adapters.limits.redis_store", raising=False)
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'enrol\[redis\]'"):
        limiting(redis=REDIS)


def test_a_password_that_others_can_read_is_refused(tmp_path):
    password = tmp_path / "password"
    password.write_text("p" * 32)
    password.chmod(0o644)
    with pytest.raises(ConfigurationError, match="others can read"):
        limiting(redis=REDIS, redis_password=password)


def test_a_caller_has_one_name_on_servers_of_one_secret_and_nobody_else_can_tell_whose_it_is():
    name_of = names_of(SECRET)
    assert name_of("192.0.2.1") == names_of(SECRET)("192.0.2.1")
    names = {name_of("192.0.2.1"), name_of("192.0.2.2"), names_of(b"t" * 32)("192.0.2.1")}
    assert len(names) == 3
    assert {len(each) for each in names} == {16}


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://10.0.0.5:6379/3",
        "redis://[::1]:6379",
        "rediss://enrol@redis.bank.internal:6380/0",
        "unix:///run/redis/redis.sock",
    ],
)
def test_redis_is_named_by_a_url(tmp_path: Path, url: str) -> None:
    assert load_settings(write(tmp_path), {"ENROL_LIMITS_REDIS": url}).limits.redis == url


@pytest.mark.parametrize(
    "url",
    [
        "redis://enrol:secret@localhost",
        "redis://:secret@localhost",
        "redis://localhost?password=secret",
        "http://localhost",
        "redis:localhost",
        "unix://relative.sock",
        "redis://localhost\n",
    ],
)
def test_a_url_of_redis_has_no_password_and_no_options(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(write(tmp_path), {"ENROL_LIMITS_REDIS": url})
    assert "secret" not in str(refused.value)
