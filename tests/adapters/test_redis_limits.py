"""Redis counts for all servers; whatever becomes of it, there is a limit and no defect."""

import asyncio
import hashlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapters.tls_host import write_certificate
from enrol.adapters.limits.breaker import FAILURES, PAUSE, Breaker
from enrol.adapters.limits.redis_limiter import RedisRateLimiter
from enrol.adapters.limits.redis_store import RedisAddress, RedisRates
from enrol.errors import RateLimitError, UnavailableError
from enrol.registration.ratelimit import Rate
from redis_host import PASSWORD, running_redis

AT = datetime(2026, 11, 24, tzinfo=UTC)
RATE = Rate(6, timedelta(minutes=1))
GUIDE = Path(__file__).parents[2] / "docs/how-to/rate-limits.md"
KEY = b"enrol:requests:tpp"


def name_of(caller) -> bytes:
    return hashlib.blake2b(caller.encode(), digest_size=16).digest()


@pytest.fixture(scope="module")
def running():
    with running_redis() as host:
        yield host


@pytest.fixture
def redis(running):
    running.ask("FLUSHALL")
    return running


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


class Servers:
    """Limiters of several servers on one Redis; the clock of their breakers stands still."""

    def __init__(self, address):
        self.address = address
        self.clock = Clock()
        self.rates = []

    def limiter(self, *, refuses=False, rate=RATE):
        rates = RedisRates(self.address, Breaker(self.clock))
        self.rates.append(rates)
        return RedisRateLimiter("requests", rate, rates, name_of=name_of, refuses=refuses)


@pytest.fixture
async def servers(redis):
    made = Servers(RedisAddress(redis.url))
    yield made
    for rates in made.rates:
        await rates.aclose()


async def admitted(limiter, tries=20, caller="tpp", at=AT):
    count = 0
    for _ in range(tries):
        try:
            await limiter.take(caller, at)
            count += 1
        except RateLimitError:
            pass
    return count


async def test_servers_keep_one_rate_together(servers):
    one, other = servers.limiter(), servers.limiter()
    assert [await admitted(one, 4), await admitted(other), await admitted(one)] == [4, 2, 0]
    with pytest.raises(RateLimitError) as refusal:
        await other.take("tpp", AT)
    assert 8 <= refusal.value.retry_after <= 10
    assert await admitted(other, caller="rival") == 6
    assert one.refused + other.refused == 53


async def test_requests_at_once_are_counted_one_by_one(servers):
    limiter = servers.limiter(rate=Rate(20, timedelta(minutes=1)))
    outcomes = await asyncio.gather(
        *(limiter.take("tpp", AT) for _ in range(64)), return_exceptions=True
    )
    assert outcomes.count(None) == 20
    assert all(isinstance(each, RateLimitError) for each in outcomes if each is not None)


async def test_clocks_of_servers_may_differ(servers):
    one, other = servers.limiter(), servers.limiter()
    assert await admitted(one, 6) == 6
    assert await admitted(other, at=AT + timedelta(hours=1)) == 0
    assert await admitted(other, at=AT - timedelta(hours=1)) == 0


async def test_a_caller_is_kept_for_a_period_and_under_no_name(servers, redis):
    limiter = servers.limiter()
    await limiter.take("PSDFR-ACPR-12345", AT)
    key = f"enrol:requests:{name_of('PSDFR-ACPR-12345').hex()}"
    assert redis.ask("KEYS", "*") == f"*1\r\n${len(key)}\r\n{key}\r\n".encode()
    left = int(redis.ask("PTTL", key)[1:])
    assert 0 < left <= 10_000


async def test_a_clock_of_redis_that_was_set_back_keeps_nobody_waiting_for_long(servers, redis):
    rates = RedisRates(servers.address)
    redis.ask("SET", KEY.decode(), "9999999999999999")
    assert await rates.take(KEY, RATE) <= RATE.interval
    await rates.aclose()


async def test_what_is_no_number_counts_as_nothing(servers, redis):
    rates = RedisRates(servers.address)
    redis.ask("SET", KEY.decode(), "garbage")
    assert await rates.take(KEY, RATE) == timedelta(0)
    redis.ask("DEL", KEY.decode())
    redis.ask("LPUSH", KEY.decode(), "garbage")
    assert await rates.take(KEY, RATE) is None
    await rates.aclose()


async def test_after_a_flush_a_server_still_knows_what_it_let_through(servers, redis):
    one, other = servers.limiter(), servers.limiter()
    assert await admitted(one) == 6
    redis.ask("FLUSHALL")
    redis.ask("SCRIPT", "FLUSH")
    assert [await admitted(one), await admitted(other)] == [0, 6]


async def test_without_redis_each_server_keeps_the_rate_itself(servers, redis):
    one, other = servers.limiter(), servers.limiter()
    assert await admitted(one, 4) == 4
    redis.stop()
    try:
        assert [await admitted(one), await admitted(other)] == [2, 6]
        assert servers.rates[1].failed
    finally:
        redis.start()
    servers.clock.now += PAUSE
    assert await admitted(other, at=AT + RATE.interval) == 1
    assert not servers.rates[1].failed


async def test_without_redis_nobody_is_let_in_where_that_is_set(servers, redis):
    limiter = servers.limiter(refuses=True)
    redis.stop()
    try:
        for _ in range(2 * FAILURES):
            with pytest.raises(UnavailableError, match="limits_unavailable") as refusal:
                await limiter.take("tpp", AT)
            assert refusal.value.retry_after == 1
    finally:
        redis.start()
    servers.clock.now += PAUSE
    assert await admitted(limiter) == 6


async def test_a_redis_that_says_nothing_is_waited_for_three_times(servers, redis):
    limiter = servers.limiter()
    assert await admitted(limiter, 1) == 1
    loop = asyncio.get_running_loop()
    redis.hold()
    try:
        began = loop.time()
        assert await admitted(limiter, 1000) == 5
        assert loop.time() - began < 5
    finally:
        redis.release()
    servers.clock.now += PAUSE
    assert await admitted(servers.limiter(), caller="rival") == 6


async def test_an_answer_that_comes_late_is_nobody_elses(servers, redis):
    limiter = servers.limiter()
    assert await admitted(limiter, 6) == 6
    redis.hold()
    assert await admitted(limiter, 1, caller="slow") == 1
    redis.release()
    servers.clock.now += PAUSE
    outcomes = [await admitted(limiter, 1, caller=f"rival-{n}") for n in range(10)]
    assert outcomes == [1] * 10


async def test_a_redis_that_is_full_is_as_one_that_is_not_there(servers, redis):
    limiter = servers.limiter()
    redis.ask("CONFIG", "SET", "maxmemory", "1")
    try:
        assert await admitted(limiter) == 6
        assert servers.rates[0].failed
    finally:
        redis.ask("CONFIG", "SET", "maxmemory", "0")


GARBAGE = {
    "text": b"HTTP/1.1 200 OK\r\n\r\n",
    "a huge length": b"$99999999999999999999\r\n",
    "a negative length": b"*-5\r\n$-9\r\n",
    "arrays in arrays": b"*1\r\n" * 20_000,
    "octets": bytes(range(256)) * 8,
    "no line": b"x" * 100_000,
    "another type": b"$1\r\n0\r\n",
    "a negative wait": b":-1\r\n",
    "a wait of years": b":99999999999\r\n",
    "truth": b":1e3\r\n",
    "an error": b"-LOADING Redis is loading the dataset in memory\r\n",
    "another server": b"-MOVED 3999 127.0.0.1:6381\r\n",
    "no right": b"-NOPERM this user has no permissions\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("answer", GARBAGE.values(), ids=list(GARBAGE))
async def test_garbage_is_as_no_answer(answer):
    async def talk(reader, writer):
        try:
            while await reader.read(65536):
                writer.write(answer)
                if not answer:
                    break
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    servers = Servers(RedisAddress(f"redis://127.0.0.1:{port}"))
    assert await admitted(servers.limiter()) == 6
    assert servers.rates[0].failed
    await servers.rates[0].aclose()
    server.close()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
async def test_password_and_socket(tmp_path_factory, kind):
    with running_redis("--requirepass", PASSWORD) as redis:
        url = redis.url if kind == "tcp" else redis.socket_url
        for password, failed in ((PASSWORD, False), ("wrong", True), (None, True)):
            address = RedisAddress(url, password)
            assert PASSWORD not in repr(address)
            servers = Servers(address)
            assert await admitted(servers.limiter()) == 6
            assert servers.rates[0].failed is failed
            await servers.rates[0].aclose()


@pytest.mark.parametrize(
    ("name", "own_ca", "failed"),
    [("localhost", True, False), ("redis.test", True, True), ("localhost", False, True)],
    ids=["good", "another name", "another CA"],
)
async def test_tls_is_spoken_with_the_redis_that_was_meant(tmp_path, name, own_ca, failed):
    heard = []

    async def talk(reader, writer):
        while command := await reader.read(65536):
            heard.append(command)
            writer.write(b":0\r\n")
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca = write_certificate(tmp_path, name, context)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    url = f"rediss://localhost:{server.sockets[0].getsockname()[1]}"
    servers = Servers(RedisAddress(url, ca=ca if own_ca else None))
    assert await admitted(servers.limiter()) == 6
    assert (servers.rates[0].failed, heard == []) == (failed, failed)
    await servers.rates[0].aclose()
    server.close()


async def test_the_rights_that_the_guide_gives_are_enough():
    rights = next(line for line in GUIDE.read_text().splitlines() if line.startswith("user "))
    words = rights.replace(">…", f">{PASSWORD.replace(' ', '-')}").split()
    with running_redis() as redis:
        assert redis.ask("ACL", "SETUSER", *words[1:]) == b"+OK\r\n"
        redis.ask("ACL", "SETUSER", "default", "off")
        url = redis.url.replace("//", f"//{words[1]}@")
        servers = Servers(RedisAddress(url, PASSWORD.replace(" ", "-")))
        assert await admitted(servers.limiter()) == 6
        assert await admitted(servers.limiter()) == 0
        assert not any(rates.failed for rates in servers.rates)
        for rates in servers.rates:
            await rates.aclose()


def test_breaker_lets_one_try_in_a_second():
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES):
        assert breaker.lets_through()
        breaker.failed()
    assert [breaker.lets_through() for _ in range(3)] == [False] * 3
    clock.now += PAUSE
    assert [breaker.lets_through() for _ in range(3)] == [True, False, False]
    breaker.failed()
    clock.now += PAUSE
    assert breaker.lets_through()
    breaker.succeeded()
    assert [breaker.lets_through() for _ in range(3)] == [True] * 3
