"""PostgreSQL ends, or ends connections, while servers use it (F-01, F-08, F-09, F-31)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cluster import Cluster, running_cluster
from faults.fault import POSTGRESQL, Fault
from faults.ground import Ground
from faults.judging import no_500, register_findings
from faults.kill import ROUNDS, kill_rounds
from faults.load import Load
from faults.result import Finding, at_least, at_most
from live.shared_register import NodeDesk, node

TIMES = 10
HEALED = 3.0
BACKENDS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s"


@contextmanager
def sharing(ground: Ground, count: int = 1) -> Iterator[tuple[Cluster, list[NodeDesk]]]:
    """Run servers that share a register in a cluster of their own."""
    with running_cluster() as cluster:
        register = cluster.create_register()
        ground.made += 1
        folder = ground.work / f"nodes-{ground.made}"
        folder.mkdir()
        nodes = [node(ground.template, folder / str(n), register) for n in range(count)]
        for each in nodes:
            each.check = lambda: cluster.damage(register)
        try:
            for each in nodes:
                each.start()
            yield cluster, nodes
        finally:
            for each in nodes:
                if hasattr(each, "process") and each.process.poll() is None:
                    each.kill()


def kill_under_load(ground: Ground) -> tuple[Finding, ...]:
    """Kill a server whose register is in PostgreSQL, and judge what that kept."""
    with sharing(ground) as (_, (bank,)):
        return kill_rounds(bank, ground.load(bank), ground.rounds or ROUNDS)


def restarted(ground: Ground, mode: str) -> tuple[Finding, ...]:
    """Stop PostgreSQL and start it again while clients are changed."""
    with sharing(ground) as (cluster, (bank,)):

        def disturb() -> None:
            cluster.stop(mode)
            cluster.start()

        return _disturbed(ground, bank, disturb, what="restarts of PostgreSQL")


def backends_ended(ground: Ground) -> tuple[Finding, ...]:
    """End every connection of a server while clients are changed."""
    with sharing(ground) as (cluster, (bank,)):
        ended = BACKENDS % "'enrol%'"
        return _disturbed(
            ground, bank, lambda: cluster.sql(ended), what="times all connections ended"
        )


def _disturbed(
    ground: Ground, bank: NodeDesk, disturb: Callable[[], object], *, what: str
) -> tuple[Finding, ...]:
    """Disturb PostgreSQL some times under load, and judge how soon it heals, and what it kept."""
    load, times, healed = ground.load(bank), ground.rounds or TIMES, []
    with load.at_work():
        for _ in range(times):
            time.sleep(2)
            disturb()
            healed.append(time.monotonic())
        time.sleep(HEALED)
    waits = [_until_acknowledged(load, moment) for moment in healed]
    return (
        at_least(what, times, times),
        at_most("longest time until a change is acknowledged again", HEALED, max(waits), "s"),
        *register_findings(bank, load),
        no_500(load),
    )


def _until_acknowledged(load: Load, moment: float) -> float:
    """Return how long after a moment the first change was acknowledged after it."""
    acknowledged = (200, 201, 204)
    ends = [a.began + a.seconds for a in load.answers if a.status in acknowledged]
    return min((end - moment for end in ends if end > moment), default=float("inf"))


def two_servers(ground: Ground) -> tuple[Finding, ...]:
    """Change clients through two servers at once, and kill each by turns."""
    with sharing(ground, 2) as (_, nodes):
        loads = [ground.load(bank, 2, seed=n) for n, bank in enumerate(nodes)]
        together = Load([worker for load in loads for worker in load.workers])
        with together.at_work():
            for n in range(ground.rounds or TIMES):
                time.sleep(0.5)
                bank = nodes[n % 2]
                bank.kill()
                bank.start()
        return (
            at_least("kills of one of the two", ground.rounds or TIMES, ground.rounds or TIMES),
            *register_findings(nodes[0], together),
            no_500(together),
        )


FAULTS = (
    Fault(
        "F-01",
        "kill -9 of the server at random instants while four TPPs register, update and delete",
        kill_under_load,
        POSTGRESQL,
    ),
    Fault(
        "F-08",
        "PostgreSQL stopped as by a crash (immediate), and started, again and again under load",
        lambda ground: restarted(ground, "immediate"),
        POSTGRESQL,
    ),
    Fault(
        "F-08",
        "PostgreSQL restarted (fast), again and again under load",
        lambda ground: restarted(ground, "fast"),
        POSTGRESQL,
    ),
    Fault(
        "F-09",
        "every connection of the server ended by PostgreSQL, again and again under load",
        backends_ended,
        POSTGRESQL,
    ),
    Fault(
        "F-31",
        "two servers on one register, each killed by turns under load",
        two_servers,
        POSTGRESQL,
    ),
)
