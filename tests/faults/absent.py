"""PostgreSQL does not answer: the answer of a commit is lost (F-10), it hangs (F-11), it is full
(F-12); Redis is gone (F-23).
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress

from cluster import SERVER, Cluster
from faults.disk import findings_of_refusals, first_success
from faults.fault import POSTGRESQL, Fault
from faults.ground import ORGANIZATIONS, Ground
from faults.judging import no_500, register_findings
from faults.load import Visitor, ask
from faults.postgres import sharing
from faults.result import Finding, at_least, at_most, none_of
from line import Line
from live.party import Draft
from live.shared_register import NodeDesk
from redis_host import RedisHost, running_redis

CUTS = 40
HUNG_FOR = 12.0
ANSWERED_WITHIN = 8.0
HEALS_WITHIN = 5.0
HEALTH_WITHIN = 0.5
REDIS_AWAY = 4.0
_HEALTH = Draft("GET", "/health", [("Host", "localhost")])


def answer_lost(ground: Ground) -> tuple[Finding, ...]:
    """Cut the line to PostgreSQL so that what is said arrives and no answer comes back."""
    with sharing(ground) as (_, (node,)):
        node.stop()
        assert node.register is not None
        with Line(node.register.server_url) as line:
            node.settings["storage.url"] = line.url
            node.start()
            load, times = ground.load(node), ground.rounds or CUTS
            with load.at_work():
                for _ in range(times):
                    time.sleep(0.25)
                    line.cut()
                time.sleep(1)
            lost = sum(answer.status == 503 for answer in load.answers)
            findings = (
                at_least("times the line was cut", times, times),
                at_least("changes answered 503 for it, then asked for again", 1, lost),
                *register_findings(node, load),
                no_500(load),
            )
            node.stop()
            return findings


@contextmanager
def held_processes(cluster: Cluster) -> Iterator[None]:
    """Hold every process of PostgreSQL."""
    pids = [int((cluster.data / "postmaster.pid").read_text().split()[0])]
    pids += [pid for line in _children(pids[0]) for pid in line]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _children(pid: int) -> Iterator[list[int]]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:  # noqa: PTH123 - no file
        yield [int(child) for child in file.read().split()]


@contextmanager
def locked_table(cluster: Cluster, node: NodeDesk) -> Iterator[None]:
    """Hold the lock of the table of clients."""
    assert node.register is not None
    database = node.register.server_url.rpartition("/")[2]
    held = f"BEGIN; LOCK TABLE clients; SELECT pg_sleep({HUNG_FOR}); COMMIT"
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(cluster.sql, held, database)
        yield
        done.result()


def hangs(
    ground: Ground, held: Callable[[Cluster, NodeDesk], AbstractContextManager[None]]
) -> tuple[Finding, ...]:
    """Let PostgreSQL hang under load, and let it go on."""
    with sharing(ground) as (cluster, (node,)):
        load = ground.load(node)
        party = ground.party(node, ORGANIZATIONS[-1])
        health = []
        with load.at_work():
            time.sleep(1)
            with held(cluster, node):
                began = time.monotonic()
                while time.monotonic() - began < HUNG_FOR:
                    health.append(ask(party, _HEALTH)[0])
                    time.sleep(0.1)
                ended = time.monotonic()
            time.sleep(HEALS_WITHIN)
        party.close()
        slowest = max(answer.seconds for answer in load.answers)
        unanswered = [str(a) for a in health if not a.status]
        return (
            at_least("changes refused with 503", 1, sum(a.status == 503 for a in load.answers)),
            at_most("slowest answer", ANSWERED_WITHIN, slowest, "s"),
            none_of("questions for health without an answer", unanswered),
            at_most(
                "slowest answer about health meanwhile",
                HEALTH_WITHIN,
                max(answer.seconds for answer in health),
                "s",
            ),
            first_success(load, ended, "PostgreSQL again", HEALS_WITHIN),
            *register_findings(node, load),
            no_500(load),
        )


def full_of_connections(ground: Ground) -> tuple[Finding, ...]:
    """Let PostgreSQL refuse every new connection, and end those there are."""
    with sharing(ground) as (cluster, (node,)):
        load = ground.load(node)
        with load.at_work():
            time.sleep(1)
            with cluster.altered(f"ROLE {SERVER}", "CONNECTION LIMIT 0", "CONNECTION LIMIT -1"):
                cluster.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    f" WHERE usename = '{SERVER}'"
                )
                began = time.monotonic()
                time.sleep(HEALS_WITHIN)
                ended = time.monotonic()
            time.sleep(HEALS_WITHIN)
        return (
            *findings_of_refusals(load, began, ended),
            first_success(load, ended, "room for connections", HEALS_WITHIN),
            *register_findings(node, load),
            no_500(load),
        )


# Redis


def redis_fails(ground: Ground) -> tuple[Finding, ...]:
    """Let the Redis that counts requests be held, gone and emptied under load."""
    with running_redis() as redis:
        with ground.running(
            limits__rates="on",
            limits__redis=redis.url,
            limits__requests_per_minute=100_000,
            limits__registrations_per_minute=100_000,
            limits__clients_per_organization=1_000_000,
        ) as bank:
            load = ground.load(bank)
            visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
            with load.at_work(), visitor.visiting():
                time.sleep(1)
                _fail(redis)
                time.sleep(1)
            refused = [f"{a.status} {a.code}" for a in load.answers if a.status >= 400]
            slowest = max(answer.seconds for answer in load.answers)
            return (
                none_of("changes refused", refused, f" of {len(load.answers):,}"),
                at_most("slowest answer", 1.0, slowest, "s"),
                at_most("p99 of another TPP's reads", HEALTH_WITHIN, visitor.p99, "s"),
                *register_findings(bank, load, visitor),
                no_500(load),
            )


def _fail(redis: RedisHost) -> None:
    redis.hold()
    time.sleep(REDIS_AWAY)
    redis.release()
    time.sleep(0.5)
    redis.stop()
    time.sleep(REDIS_AWAY)
    redis.start()
    time.sleep(0.5)
    redis.ask("FLUSHALL")


def limit_without_redis(ground: Ground) -> tuple[Finding, ...]:
    """See that a limit holds while Redis is gone: there is no window without one."""
    with running_redis() as redis:
        with ground.running(
            limits__rates="on",
            limits__redis=redis.url,
            limits__requests_per_minute=30,
            limits__failures_per_minute=1000,
        ) as bank:
            party = ground.party(bank)
            client_id = party.register().json["client_id"]
            redis.stop()
            draft = party.signed(party.draft("GET", client_id))
            answers = [ask(party, draft)[0] for _ in range(100)]
            party.close()
    admitted = sum(answer.status == 200 for answer in answers)
    others = [f"{a.status} {a.code}" for a in answers if a.status not in (200, 429)]
    return (
        at_least("requests of 100 that were let through", 1, admitted),
        at_most("the same, where 30 a minute are allowed", 35, admitted),
        none_of("answers of another kind than 200 or 429", others),
    )


def _of_postgres(number: str, done: str, run: Callable[[Ground], tuple[Finding, ...]]) -> Fault:
    return Fault(number, done, run, POSTGRESQL)


FAULTS = (
    _of_postgres(
        "F-10",
        "the line to PostgreSQL is cut so that commits arrive and their answers are lost, again"
        " and again under load",
        answer_lost,
    ),
    _of_postgres(
        "F-11",
        "every process of PostgreSQL is held for 12 s under load",
        lambda ground: hangs(ground, lambda cluster, _: held_processes(cluster)),
    ),
    _of_postgres(
        "F-11",
        "the table of clients is locked for 12 s under load",
        lambda ground: hangs(ground, locked_table),
    ),
    _of_postgres(
        "F-12",
        "PostgreSQL has no room for connections for 5 s under load",
        full_of_connections,
    ),
    Fault(
        "F-23", "the Redis of the limits is held, gone, back and emptied under load", redis_fails
    ),
    Fault(
        "F-23", "the Redis of the limits is gone while one TPP asks too often", limit_without_redis
    ),
)
