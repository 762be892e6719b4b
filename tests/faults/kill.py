"""The server ends without warning, again and again, while clients are changed (F-01)."""

import random
import time

from faults.fault import Fault
from faults.ground import Ground, seconds_to_start
from faults.judging import no_500, register_findings
from faults.load import Load
from faults.result import Finding, at_least, at_most, none_of
from live.desk import Desk
from live.invariants import lost

ROUNDS = 40
SHORTEST, LONGEST = 0.1, 4.0
READY = 2.0
SEED = 20261124


def kill_under_load(ground: Ground) -> tuple[Finding, ...]:
    """Kill a bank on SQLite and judge what it kept."""
    with ground.running() as bank:
        load = ground.load(bank)
        return kill_rounds(bank, load, ground.rounds or ROUNDS)


def kill_rounds(bank: Desk, load: Load, rounds: int) -> tuple[Finding, ...]:
    """Kill and start a bank at random instants of the load, and compare after each round."""
    chance = random.Random(SEED)
    missing: list[str] = []
    starts = []
    with load.at_work():
        for _ in range(rounds):
            time.sleep(chance.uniform(SHORTEST, LONGEST))
            bank.kill()
            starts.append(seconds_to_start(bank))
    unanswered = sum(answer.status == 0 for answer in load.answers)
    missing += lost(bank, load.ledgers)
    return (
        at_least("kills", rounds, len(starts)),
        none_of("acknowledged changes lost before anything was asked for again", missing),
        *register_findings(bank, load),
        no_500(load),
        at_least("requests left without an answer", 1, unanswered),
        at_most("slowest start to ready", READY, max(starts), "s"),
    )


FAULTS = (
    Fault(
        "F-01",
        "kill -9 of the server at random instants while four TPPs register, update and delete",
        kill_under_load,
    ),
)
