"""Servers that tell each other what they let through keep one rate, but for what they do not know.

A caller has what the rate allows once, and from each other server what it can let through until it
is heard of.
"""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrol.errors import RateLimitError, UnavailableError
from enrol.registration import shared_limits
from enrol.registration.ratelimit import Rate
from enrol.registration.shared_limits import SharedLimits, SharedRateLimiter, Spent, Turn

AT = datetime(2026, 11, 24, tzinfo=UTC)
RATE = Rate(6, timedelta(minutes=1))
SECOND = timedelta(seconds=1)


def name_of(caller) -> bytes:
    return hashlib.blake2b(caller.encode(), digest_size=16).digest()


class World:
    """One clock, and a table in which servers find what others wrote."""

    def __init__(self):
        self.now = AT
        self.rows = {}
        self.down = self.loses_answers = False

    def clock(self):
        return self.now

    def server(self):
        return Server(self)


class Server:
    """A server with one limiter; asks the table as an adapter would."""

    def __init__(self, world):
        self.world = world
        self.limiter = SharedRateLimiter(RATE, name_of)
        self.limits = SharedLimits({"requests": self.limiter}, self, world.clock)
        self.seen = set()

    async def exchange(self, own):
        if self.world.down:
            raise UnavailableError("storage_unavailable")
        for turn in own:
            self.world.rows.setdefault(
                (id(self), turn.number), (self.world.now - turn.age, turn.spent)
            )
        if self.world.loses_answers:
            raise UnavailableError("storage_unavailable")
        new = {key: row for key, row in self.world.rows.items() if key[0] != id(self)}
        new = {key: row for key, row in new.items() if key not in self.seen}
        self.seen |= new.keys()
        return [Turn(n, self.world.now - made, spent) for (_, n), (made, spent) in new.items()]

    async def admits(self, caller="tpp"):
        try:
            await self.limiter.take(caller, self.world.now)
        except RateLimitError:
            return False
        return True

    async def admitted(self, tries=50, caller="tpp"):
        return sum([await self.admits(caller) for _ in range(tries)])


@pytest.fixture
def world():
    return World()


async def both_exchange(*servers):
    for _ in range(2):
        for server in servers:
            await server.limits.turn()


async def test_what_one_server_let_through_counts_at_the_others(world):
    one, other = world.server(), world.server()
    assert [await one.admits() for _ in range(4)] == [True] * 4
    await both_exchange(one, other)
    assert await other.admitted() == 2
    assert await one.admitted() == 2


async def test_what_was_too_much_is_made_up_for(world):
    one, other = world.server(), world.server()
    assert (await one.admitted(), await other.admitted()) == (6, 6)
    await both_exchange(one, other)
    world.now += timedelta(seconds=69)
    assert (await one.admitted(), await other.admitted()) == (0, 0)
    world.now += SECOND
    assert await one.admitted() == 1


async def test_nothing_is_counted_twice(world):
    one, other = world.server(), world.server()
    await one.admits()
    world.loses_answers = True
    await one.limits.turn()
    assert one.limits.failed
    world.loses_answers = False
    await both_exchange(one, other)
    await both_exchange(one, other)
    assert not one.limits.failed
    assert await other.admitted() == 5


async def test_alone_each_server_keeps_the_rate_itself(world):
    one, other = world.server(), world.server()
    world.down = True
    assert (await one.admitted(), await other.admitted()) == (6, 6)
    await both_exchange(one, other)
    assert (await one.admitted(), await other.admitted()) == (0, 0)


async def test_what_could_not_be_told_is_told_as_of_its_time(world):
    one, other = world.server(), world.server()
    world.down = True
    for _ in range(30):  # as often as the rate allows, for five minutes
        await one.admits()
        await one.limits.turn()
        world.now += RATE.interval
    world.down = False
    await both_exchange(one, other)
    assert await other.admitted() == 6


async def test_a_server_that_starts_learns_of_what_was_before(world):
    one = world.server()
    assert await one.admitted() == 6
    await one.limits.turn()
    late = world.server()
    await late.limits.turn()
    assert await late.admitted() == 0


async def test_callers_and_limiters_are_kept_apart(world):
    one, other = world.server(), world.server()
    assert await one.admitted(caller="tpp") == 6
    await both_exchange(one, other)
    assert await other.admitted(caller="rival") == 6


async def test_nonsense_of_another_server_does_not_lock_a_caller_out_for_long(world):
    one = world.server()
    for number, limiter in enumerate(("requests", "unheard of")):
        spent = (Spent(limiter, name_of("tpp"), 10**12),)
        world.rows[0, number] = (world.now + timedelta(hours=1), spent)
    await one.limits.turn()
    assert await one.admitted() == 0
    world.now += timedelta(minutes=2)
    assert await one.admitted() == 6


async def test_of_too_many_callers_those_are_told_who_took_most(world, monkeypatch):
    monkeypatch.setattr(shared_limits, "MOST_TOLD", 2)
    one = world.server()
    for caller, count in (("a", 1), ("b", 3), ("c", 2), ("d", 1)):
        for _ in range(count):
            await one.admits(caller)
    await one.limits.turn()
    ((_, spent),) = world.rows.values()
    assert [(each.caller, each.count) for each in spent] == [(name_of("b"), 3), (name_of("c"), 2)]
    await one.limits.turn()
    assert len(world.rows) == 1


MOVES = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 2), st.integers(1, 8)),
    st.tuples(st.just("wait"), st.floats(0.01, 30), st.none()),
    st.tuples(st.just("exchange"), st.integers(0, 2), st.none()),
)


@given(st.lists(MOVES, max_size=60))
async def test_together_they_let_through_the_rate_and_what_they_did_not_know_of(moves):
    """However requests, waits and exchanges follow each other, from the start to each request.

    What a server let through is known to another once both have exchanged after it, in that order.
    """
    world = World()
    servers = [world.server() for _ in range(3)]
    unknown = {(giver, taker): 0 for giver in range(3) for taker in range(3) if giver != taker}
    untold = dict.fromkeys(unknown, 0)
    admitted = 0
    for kind, number, times in moves:
        if kind == "wait":
            world.now += timedelta(seconds=number)
        elif kind == "exchange":
            await servers[number].limits.turn()
            for giver, taker in unknown:
                if giver == number:
                    untold[giver, taker] = 0
                if taker == number:
                    unknown[giver, taker] = untold[giver, taker]
        else:
            for _ in range(times):
                if not await servers[number].admits():
                    continue
                admitted += 1
                for giver, taker in unknown:
                    if giver == number:
                        unknown[giver, taker] += 1
                        untold[giver, taker] += 1
                strangers = sum(unknown[other, number] for other in range(3) if other != number)
                allowed = RATE.count + (world.now - AT) / RATE.interval
                assert admitted <= allowed + strangers + 1e-6
