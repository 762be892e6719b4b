"""A server of two workers on one register in PostgreSQL (F-29, F-30)."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster import Cluster, Database
from live.callers import Caller, calling, more_from
from live.desk import Desk
from live.party import Party
from live.served import Served, until
from live.shared_register import node
from ports import free_port

IMPATIENT = str(Path(__file__).with_name("impatient.py"))
REPLACED_WITHIN = 2.0  # seconds


@pytest.fixture(scope="module")
def register(cluster: Cluster) -> Database:
    """The register of the bank."""
    return cluster.create_register()


@pytest.fixture(scope="module")
def operators(desk: Desk) -> int:
    """The port where operators ask the first worker; the next one is the second's."""
    return free_port()


@pytest.fixture(scope="module")
def bank(
    desk: Desk, register: Database, operators: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A bank with two workers, whose supervisor waits a second only."""
    folder = tmp_path_factory.mktemp("served") / "bank"
    alone = node(desk, folder, register, operations__port=operators, deadlines__idle=2)
    with Served.of(alone, "--workers", "2", program=(IMPATIENT,)) as served:
        yield served
        assert served.stop() == 0


@pytest.fixture
def parties(bank: Served, party_of: Callable[..., Party]) -> list[Party]:
    """TPPs of that bank."""
    return [party_of(bank) for _ in range(4)]


def check_nothing_amiss(callers: list[Caller], register: Database, before: int) -> None:
    """Check that everybody was answered with a registration, which stands."""
    assert [(each.turned_away, each.failures) for each in callers] == [([], [])] * len(callers)
    assert count(register) == before + sum(len(each.created) for each in callers)


def count(register: Database) -> int:
    return int(register.rows("SELECT count(*) FROM clients")[0][0])


def answers_of(bank: Served) -> dict[int, int]:
    """Return how many requests each worker answered, by its number."""
    lines = [line for line in bank.log_lines if '"event":"request"' in line]
    return {n: sum(f'"worker":{n},' in line for line in lines) for n in (1, 2)}


def test_both_workers_serve_and_each_has_operators_of_its_own(
    bank: Served, register: Database, parties: list[Party], operators: int
) -> None:
    before = count(register)
    with calling(parties, keeps=False) as callers:
        until(lambda: all(answers_of(bank).values()))
    check_nothing_amiss(callers, register, before)
    for port in (operators, operators + 1):
        assert any(f'"port":{port}' in line for line in bank.log_lines)


@pytest.mark.parametrize("keeps", [False, True], ids=["new connections", "kept connections"])
def test_a_reload_under_load_fails_no_request(
    bank: Served, register: Database, parties: list[Party], keeps: bool
) -> None:
    before, workers, reloaded = count(register), bank.workers, bank.logged("reloaded")
    with calling(parties, keeps=keeps) as callers:
        more_from(callers)
        bank.reload()
        until(lambda: bank.logged("reloaded") > reloaded)
        more_from(callers)
    check_nothing_amiss(callers, register, before)
    assert not set(workers) & set(bank.workers)


def test_one_that_is_killed_is_replaced_and_the_other_serves_meanwhile(
    bank: Served, parties: list[Party]
) -> None:
    (first, second), ready = bank.workers, bank.logged("worker_ready")
    os.kill(second, signal.SIGKILL)
    assert [party.register().status for party in parties] == [201] * len(parties)
    assert until(lambda: bank.logged("worker_ready") > ready) < REPLACED_WITHIN
    assert first in bank.workers
    assert second not in bank.workers


def test_one_that_hangs_is_replaced_and_the_other_serves_meanwhile(
    bank: Served, register: Database, parties: list[Party]
) -> None:
    (first, second), ready = bank.workers, bank.logged("worker_ready")
    before = count(register)
    with calling(parties, keeps=False) as callers:
        more_from(callers)
        os.kill(second, signal.SIGSTOP)
        until(lambda: bank.logged("worker_ready") > ready)
        more_from([each for each in callers if not each.is_over])
    assert first in bank.workers
    assert second not in bank.workers
    assert any(each.created for each in callers)
    assert count(register) >= before + sum(len(each.created) for each in callers)


def test_the_end_under_load_finishes_what_was_begun(
    desk: Desk, register: Database, tmp_path: Path, party_of: Callable[..., Party]
) -> None:
    before = count(register)
    with Served.of(node(desk, tmp_path / "bank", register), "--workers", "2") as bank:
        with calling([party_of(bank) for _ in range(4)], keeps=True) as callers:
            more_from(callers)
            assert bank.stop() == 0
            until(lambda: all(each.is_over for each in callers))
    for caller in callers:
        assert all((r.status, r.code) == (503, "draining") for r in caller.turned_away)
    assert count(register) == before + sum(len(each.created) for each in callers)
