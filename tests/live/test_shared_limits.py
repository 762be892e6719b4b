"""Several servers keep one rate: on PostgreSQL by telling each other, or in Redis."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cluster import Cluster
from live.desk import Desk
from live.party import Party, Reply
from live.shared_register import node
from redis_host import PASSWORD, RedisHost, running_redis

pytestmark = pytest.mark.live

LIMIT = 4
PartyAt = Callable[[Desk], Party]
RATES = {"limits__rates": "on", "limits__registrations_per_minute": LIMIT}
_EXCHANGES_SINCE = """
SELECT count(*) FROM pg_stat_activity
WHERE application_name = 'enrol limits'
  AND query_start > to_timestamp((SELECT max(at) FROM limit_spendings) / 1000.0) + interval '0.1 s'
"""


@pytest.fixture
def party_at(acme: Party) -> Iterator[PartyAt]:
    """Make Acme a party of another bank too, with the certificates it has."""
    with ExitStack() as stack:

        def make(bank: Desk) -> Party:
            ca, pairs = bank.folder / "server-ca.pem", (acme.qwac, acme.qsealc)
            party = Party(bank.port, ca, acme.organization, *pairs)
            stack.callback(party.close)
            return party

        yield make


def register_until(party: Party, status: int) -> list[int]:
    """Register until an answer has a status; what came before it."""
    statuses: list[int] = []
    end = time.monotonic() + 10
    while time.monotonic() < end:
        reply = party.register()
        if reply.status == status:
            return statuses
        statuses.append(reply.status)
    raise AssertionError(statuses)


def told(cluster: Cluster, database: str) -> bool:
    """Say whether both servers have asked what was told last."""
    return int(cluster.sql(_EXCHANGES_SINCE, database)) == 2


def test_what_one_server_let_through_counts_at_the_other(
    desk: Desk, tmp_path: Path, cluster: Cluster, party_at: PartyAt
) -> None:
    register = cluster.create_register()
    database = register.server_url.rpartition("/")[2]
    with (
        node(desk, tmp_path / "one", register, **RATES) as one,
        node(desk, tmp_path / "other", register, **RATES) as other,
    ):
        assert register_until(party_at(one), 429) == [201] * LIMIT
        while not told(cluster, database):
            assert one.process.poll() is None
        refused = party_at(other).register()
        assert (refused.status, refused.code) == (429, "rate_exceeded")
        assert 1 <= int(refused.fields["retry-after"]) <= 60 // LIMIT


@pytest.fixture
def redis() -> Iterator[RedisHost]:
    with running_redis("--requirepass", PASSWORD) as host:
        yield host


def test_where_it_is_set_nobody_is_let_in_while_redis_is_away(
    desk: Desk, tmp_path: Path, redis: RedisHost, party_at: PartyAt
) -> None:
    password = tmp_path / "password"
    password.touch(0o600)
    password.write_text(PASSWORD)
    settings = {"redis": redis.url, "redis_password": str(password), "redis_failure": "refuse"}
    limits = {f"limits__{name}": value for name, value in settings.items()}
    with desk.beside(tmp_path / "sandbox", **RATES, **limits) as bank:
        party = party_at(bank)
        assert party.register().status == 201
        redis.stop()
        refused: list[Reply] = [party.register() for _ in range(5)]
        assert {(reply.status, reply.code) for reply in refused} == {(503, "limits_unavailable")}
        assert {reply.fields["retry-after"] for reply in refused} == {"1"}
        assert bank.count_clients() == 1
        redis.start("--requirepass", PASSWORD)
        assert set(register_until(party, 201)) <= {503}
        assert set(register_until(party, 429)) <= {201}
        assert PASSWORD not in "\n".join(bank.log_lines)
        assert os.fspath(redis.folder) not in "\n".join(bank.log_lines)
