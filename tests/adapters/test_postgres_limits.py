"""Servers on one PostgreSQL hear of each other what they let through, once each."""

from datetime import timedelta

import pytest

from enrol.adapters.location import PostgresUrl
from enrol.adapters.postgres.limits import PostgresExchange
from enrol.errors import UnavailableError
from enrol.registration.shared_limits import Spent, Turn

SECOND = timedelta(seconds=1)
ONE, OTHER = Spent("requests", b"1" * 16, 3), Spent("failures", b"2" * 16, 1)


@pytest.fixture
async def servers(migrated):
    """Make servers on one database."""
    migrated.empty()
    made = []

    def make():
        made.append(PostgresExchange(PostgresUrl(migrated.server_url)))
        return made[-1]

    yield make
    for each in made:
        await each.aclose()


def turn(number, *spent, age=timedelta(0)):
    return Turn(number, age, spent)


async def told(server, *own):
    return [(each.number, each.spent) for each in await server.exchange(own)]


async def test_a_turn_is_heard_once_by_every_other(servers):
    a, b, c = servers(), servers(), servers()
    assert await told(a, turn(1, ONE, OTHER), turn(2, OTHER)) == []
    for listener in (b, c):
        assert await told(listener) == [(1, (ONE, OTHER)), (2, (OTHER,))]
        assert await told(listener) == []
    await told(a, turn(3, ONE))
    assert await told(b, turn(1, ONE)) == [(3, (ONE,))]
    assert await told(a) == [(1, (ONE,))]


async def test_a_turn_that_is_told_twice_is_there_once(servers):
    a, b = servers(), servers()
    for _ in range(2):
        await told(a, turn(1, ONE))
    assert await told(b) == [(1, (ONE,))]


async def test_the_age_of_a_turn_is_told(servers):
    a, b = servers(), servers()
    await told(a, turn(1, ONE, age=20 * SECOND))
    (heard,) = await b.exchange(())
    assert 20 * SECOND <= heard.age < 40 * SECOND


async def test_what_is_over_is_not_told_and_swept(servers, migrated):
    a, b = servers(), servers()
    await told(a, turn(1, ONE, age=61 * SECOND), turn(2, ONE))
    assert await told(b) == [(2, (ONE,))]
    assert migrated.rows("SELECT turn FROM limit_spendings") == [(2,)]


async def test_what_no_server_says_is_passed_over(servers, migrated):
    a, b = servers(), servers()
    await told(a, turn(1, ONE))
    for number, garbage in ((2, b""), (3, b"\xff" * 40), (4, b"\x91\x93\xa1r\xc4\x01k\x01")):
        migrated.rows(
            "INSERT INTO limit_spendings SELECT node, ?, at, ? FROM limit_spendings WHERE turn = 1",
            number,
            garbage,
        )
    assert await told(b) == [(1, (ONE,))]
    assert await told(b) == []


async def test_a_server_that_cannot_be_reached_is_said_so_and_asked_again(cluster, servers):
    a, b = servers(), servers()
    await told(a, turn(1, ONE))
    cluster.stop("immediate")
    try:
        with pytest.raises(UnavailableError):
            await a.exchange([turn(2, OTHER)])
    finally:
        cluster.start()
    assert await told(a, turn(2, OTHER)) == []
    assert (2, (OTHER,)) in await told(b)


async def test_the_table_costs_no_log(migrated):
    assert migrated.rows("SELECT relpersistence FROM pg_class WHERE relname='limit_spendings'") == [
        (b"u",)
    ]
