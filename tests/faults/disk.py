"""Disks that are full or cannot be written to any more (F-06, F-07)."""

import time

from faults.disks import file_disk, fill, small_disk
from faults.fault import Fault
from faults.ground import ORGANIZATIONS, Ground, refusal_to_start
from faults.judging import no_500, register_findings
from faults.load import Load, Visitor, statuses
from faults.result import Finding, at_least, at_most, holds, none_of

FULL_FOR = 5.0
SLOWEST_READ = 1.0
HEALS_WITHIN = 5.0


def full_data(ground: Ground) -> tuple[Finding, ...]:
    """Fill the disk of the register and its log under load, then make room."""
    with small_disk(ground.work / "small", 96) as folder:
        with ground.running(storage__path=folder / "enrol.db") as bank:
            load = ground.load(bank)
            visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
            with load.at_work():
                time.sleep(0.5)
                fill(folder / "ballast")
                full_at = time.monotonic()
                with visitor.visiting():
                    time.sleep(FULL_FOR)
                (folder / "ballast").unlink()
                room_at = time.monotonic()
                time.sleep(2)
            return (
                *findings_of_refusals(load, full_at, room_at),
                at_most("p99 of another TPP's reads meanwhile", SLOWEST_READ, visitor.p99, "s"),
                at_least("share of those answered 200", 1.0, visitor.share_ok),
                first_success(load, room_at, "room", HEALS_WITHIN),
                *register_findings(bank, load, visitor),
                no_500(load),
            )


def findings_of_refusals(load: Load, begin: float, end: float) -> tuple[Finding, ...]:
    """Return what was answered between two times, a second after the first."""
    during = [a for a in load.answers if begin + 1 < a.began and a.ended < end]
    hasty = [str(a.status) for a in during if a.status == 503 and a.retry_after < 1]
    others = [f"{a.status} {a.code}" for a in during if a.status not in (200, 201, 204, 503)]
    return (
        at_least("changes refused with 503 meanwhile", 1, sum(a.status == 503 for a in during)),
        none_of("answers of another kind than success or 503", others, f"; {statuses(during)}"),
        none_of("answers 503 without Retry-After", hasty),
    )


def first_success(load: Load, since: float, what: str, within: float) -> Finding:
    """Return how long after a time the first change was acknowledged."""
    good = [a.ended for a in load.answers if a.began >= since and a.status in (200, 201, 204)]
    seconds = min(good) - since if good else float("inf")
    return at_most(f"first acknowledged change after there is {what}", within, seconds, "s")


def full_log(ground: Ground) -> tuple[Finding, ...]:
    """Fill the disk that standard error goes to."""
    with small_disk(ground.work / "small-log", 1) as folder:
        bank = ground.bank()
        with (folder / "log").open("ab") as log:
            bank.log_to = log.fileno()
            with bank:
                load = ground.load(bank)
                fill(folder / "ballast")
                with load.at_work():
                    time.sleep(2)
                slowest = max(answer.seconds for answer in load.answers)
                refused = [str(a) for a in load.answers if a.status not in (200, 201, 204)]
                return (
                    none_of("changes not acknowledged", refused, f" of {len(load.answers):,}"),
                    at_most("slowest answer", SLOWEST_READ, slowest, "s"),
                    *register_findings(bank, load),
                )


def read_only(ground: Ground) -> tuple[Finding, ...]:
    """Let the file system give up writing under load; then repair it and start anew."""
    with file_disk(ground.work / "failing", 64) as disk:
        bank = ground.bank(storage__path=disk.folder / "enrol.db")
        with bank:
            load = ground.load(bank)
            visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
            with load.at_work():
                time.sleep(1)
                disk.become_read_only()
                failed_at = time.monotonic()
                with visitor.visiting():
                    time.sleep(FULL_FOR)
                repaired_at = time.monotonic()
                bank.kill()
                code, message = refusal_to_start(bank)
                disk.unmount()
                disk.repair()
                disk.mount()
                back_at = time.monotonic()
                bank.start()
                time.sleep(1)
            return (
                *findings_of_refusals(load, failed_at, repaired_at),
                at_least(
                    "share of another TPP's reads answered 200 meanwhile", 1.0, visitor.share_ok
                ),
                holds(
                    "start on the read-only disk",
                    f"exit code {code}: {message}",
                    met=code != 0 and "enrol.db" in message,
                    to_reach="refused, file named",
                ),
                first_success(load, back_at, "a disk again", HEALS_WITHIN),
                *register_findings(bank, load, visitor),
                no_500(load),
            )


FAULTS = (
    Fault(
        "F-06",
        "the disk of the register fills up under load, and has room again after 5 s",
        full_data,
    ),
    Fault("F-06", "the disk that the log is written to is full", full_log),
    Fault(
        "F-07",
        "the file system stops all writing under load; later it is repaired and the"
        " server started anew",
        read_only,
    ),
)
