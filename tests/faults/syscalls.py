"""System calls that fail under the server: the order of sync and answer, failed writes and syncs.

F-03, F-04 and F-05. Whatever call fails, a change that was acknowledged is on disk, and one that
could not be written is answered 503.
"""

import time
from itertools import count
from pathlib import Path

from faults.fault import Fault
from faults.ground import Ground
from faults.judging import no_500, register_findings
from faults.load import Worker, ask
from faults.result import Finding, at_least, at_most, holds, none_of
from faults.tracer import WRITES, Trace, failing, traced
from live.desk import Desk
from live.party import Draft, Party

FAILURES = tuple(
    (call, error) for call in ("pwrite64", "fdatasync") for error in ("EIO", "ENOSPC", "EINTR")
)
LONGEST_ANSWER = 8.0
UNDER_LOAD = (150, 700, 1300)
"""Which of a thread's writes fails while the load goes on: some are of checkpoints."""

_HEALTH = Draft("GET", "/health", [("Host", "localhost")])


def order(ground: Ground) -> tuple[Finding, ...]:
    """Watch one registration: the sync of the log ends before the answer leaves."""
    with ground.running() as bank:
        party = ground.party(bank)
        findings = findings_of_order(party, bank.process.pid, ground.work)
        party.close()
        return findings


def findings_of_order(party: Party, pid: int, folder: Path) -> tuple[Finding, ...]:
    """Return the findings about the order of calls in one registration; `folder` has the trace."""
    assert party.register().status == 201  # the token is issued, the issuers were asked
    request = party.post()
    with traced(pid, folder / "order.trace", f"trace={WRITES}") as trace:
        status = party.send_once(request).status
    synced = [n for n, line in enumerate(trace.lines) if is_sync_of_log(line)]
    written = [n for n, line in enumerate(trace.lines) if "pwrite64" in line and "-wal" in line]
    answered = [n for n, line in enumerate(trace.lines) if is_answer(line)]
    in_order = bool(written and synced and answered)
    in_order = in_order and max(written) < max(synced) < min(answered)
    return (
        holds("status of the registration", str(status), met=status == 201, to_reach="201"),
        at_least("syncs of the log that were seen", 1, len(synced)),
        holds(
            "log written, then synced, then answered",
            "yes" if in_order else f"written {written}, synced {synced}, answered {answered}",
            met=in_order,
            to_reach="yes",
        ),
    )


def is_sync_of_log(line: str) -> bool:
    """Tell whether a line of strace is a sync of the log that succeeded."""
    return "sync(" in line and "-wal" in line and line.endswith("= 0")


def is_answer(line: str) -> bool:
    """Tell whether a line of strace is bytes that leave for the network."""
    return any(call in line for call in ("write(", "writev(", "send")) and "<socket:" in line


def each_call(ground: Ground) -> tuple[Finding, ...]:
    """Let the first, second, third… write and sync of a registration fail."""
    with ground.running() as bank:
        load = ground.load(bank, workers=1)
        (worker,) = load.workers
        wrong, restarts, made = [], 0, 0
        for call, error in FAILURES:
            for number in count(1):
                trace = _failed_registration(ground, bank, worker, failing(call, error, number))
                if not trace.failed_calls:
                    break
                made += 1
                answer = worker.answers[-1]
                if not _is_right(answer.status, error, trace):
                    wrong.append(f"{call} {number} {error}: {answer.status} {trace.failed_calls}")
                restarts += _brought_back(bank, worker)
        slowest = max(answer.seconds for answer in worker.answers)
        return (
            at_least("calls that were made to fail", 12, made),
            none_of("registrations not answered 503 though a call failed", wrong),
            at_most("slowest answer", LONGEST_ANSWER, slowest, "s"),
            at_least("restarts, where the server said that only that helps", 1, restarts),
            *register_findings(bank, load),
            no_500(load),
        )


def _failed_registration(
    ground: Ground, bank: Desk, worker: Worker, expressions: tuple[str, str]
) -> Trace:
    """Register while a call fails."""
    worker.ledger.begin(worker.party, worker.chance)
    with traced(bank.process.pid, ground.work / "failing.trace", *expressions) as trace:
        worker.attempt()
    return trace


def _is_right(status: int, error: str, trace: Trace) -> bool:
    """Judge the answer: 503 is always right, success only where the log was written and synced.

    EINTR is tried again. A checkpoint, which fails on the database's own file, has the log behind
    it and is done anew.
    """
    of_log = any("-wal>" in line for line in trace.failed_calls)
    return status == 503 or (status in (200, 201, 204) and (error == "EINTR" or not of_log))


def _brought_back(bank: Desk, worker: Worker) -> int:
    """Bring the bank back where it says it cannot come back by itself; return 1 if it was so."""
    if worker.settle(within=0.3):
        return 0
    bank.kill()
    bank.start()
    worker.settle(within=5)
    return 1


def failing_under_load(ground: Ground) -> tuple[Finding, ...]:
    """Let writes fail in the middle of the load, those of checkpoints too."""
    with ground.running() as bank:
        load = ground.load(bank)
        made = 0
        for number in UNDER_LOAD:
            expressions = failing("pwrite64", "EIO", number)
            file = ground.work / "failing.trace"
            with traced(bank.process.pid, file, *expressions) as trace, load.at_work():
                end = time.monotonic() + 10
                while not trace.failed_calls and time.monotonic() < end:
                    time.sleep(0.1)
            made += len(trace.failed_calls)
            if load.settle(within=1):
                bank.kill()
                bank.start()
        return (
            at_least("writes that were made to fail", len(UNDER_LOAD), made),
            *register_findings(bank, load),
            no_500(load),
        )


def sync_fails_once(ground: Ground) -> tuple[Finding, ...]:
    """Let one sync fail and the next succeed, which says nothing: the pages may be gone."""
    with ground.running() as bank:
        load = ground.load(bank, workers=1)
        (worker,) = load.workers
        for _ in range(5):
            worker.ledger.begin(worker.party, worker.chance)
            worker.attempt()
        _failed_registration(ground, bank, worker, failing("fdatasync", "EIO", 1))
        first = worker.answers[-1].status
        again = [worker.attempt() or worker.answers[-1].status for _ in range(5)]
        health, _ = ask(worker.party, _HEALTH)
        bank.kill()
        bank.start()
        return (
            holds(
                "answer to the change whose sync failed",
                str(first),
                met=first == 503,
                to_reach="503",
            ),
            holds(
                "answers to changes after it, though syncs succeed again",
                ", ".join(map(str, again)),
                met=again == [503] * 5,
                to_reach="503",
            ),
            holds("/health", str(health.status), met=health.status == 503, to_reach="503"),
            *register_findings(bank, load),
        )


FAULTS = (
    Fault("F-03", "one registration watched by strace", order),
    Fault(
        "F-04",
        "the n-th pwrite or fdatasync of a registration fails with EIO, ENOSPC or EINTR,"
        " for each n there is",
        each_call,
    ),
    Fault(
        "F-04",
        "a write fails with EIO while four TPPs register, update and delete",
        failing_under_load,
    ),
    Fault("F-05", "one fdatasync fails with EIO, those after it succeed", sync_fails_once),
)
