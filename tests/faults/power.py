"""The power is cut: what was not written to the disk is gone (F-02).

The register lies on a disk in a file. The server is stopped where it stands, the file is copied,
and the copy, which holds what the file system had written out, becomes the disk.
"""

import random
import signal
import time

from faults.disks import FileDisk, file_disk
from faults.fault import Fault
from faults.ground import Ground, seconds_to_start
from faults.judging import no_500, register_findings
from faults.load import Load
from faults.result import Finding, at_least, at_most, none_of
from live.desk import Desk
from live.invariants import lost

ROUNDS = 15
SHORTEST, LONGEST = 0.2, 2.0
RECOVERED = 5.0
SEED = 20261125
MEGABYTES = 512


def cut_power(ground: Ground) -> tuple[Finding, ...]:
    """Cut the power under load, and compare after each time."""
    rounds = ground.rounds or ROUNDS
    with file_disk(ground.work / "disk", MEGABYTES) as disk:
        with ground.running(storage__path=disk.folder / "enrol.db") as bank:
            load = ground.load(bank)
            missing, starts = cut_rounds(bank, load, disk, rounds)
            return (
                at_least("power cuts", rounds, len(starts)),
                none_of("acknowledged changes lost before anything was asked for again", missing),
                *register_findings(bank, load),
                no_500(load),
                at_most("slowest start to ready, recovery included", RECOVERED, max(starts), "s"),
            )


def cut_rounds(
    bank: Desk, load: Load, disk: FileDisk, rounds: int
) -> tuple[list[str], list[float]]:
    """Cut the power some times; return what was lost, and how long each start took."""
    chance, starts = random.Random(SEED), []
    with load.at_work():
        for _ in range(rounds):
            time.sleep(chance.uniform(SHORTEST, LONGEST))
            bank.process.send_signal(signal.SIGSTOP)
            disk.cut_power()
            bank.kill()
            disk.unmount()
            disk.return_as_it_was()
            disk.mount()
            starts.append(seconds_to_start(bank))
    return lost(bank, load.ledgers), starts


FAULTS = (
    Fault(
        "F-02",
        "the power is cut while four TPPs register, update and delete: the disk is left with what"
        " the file system had written out, and mounted anew",
        cut_power,
    ),
)
