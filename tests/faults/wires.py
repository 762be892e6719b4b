"""Who should read does not: the log is blocked (F-38), clients leave before the answer (F-40)."""

import contextlib
import fcntl
import os
import random
import socket
import struct
import time

from faults.fault import Fault
from faults.ground import Ground, wait_until
from faults.judging import no_500, register_findings
from faults.load import Worker
from faults.memory import open_files
from faults.result import Finding, at_least, at_most, holds, none_of
from live.party import Draft
from live.test_operations import Operator

SMALLEST_PIPE = 4096
BLOCKED_FOR = 4.0
SLOWEST = 1.0
DISCONNECTIONS = 300
SEED = 20261126


def log_blocked(ground: Ground) -> tuple[Finding, ...]:
    """Let nobody read the pipe that the log goes into."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, SMALLEST_PIPE)
    bank = ground.bank()
    bank.log_to = writing
    try:
        with bank:
            load = ground.load(bank)
            with load.at_work():
                time.sleep(BLOCKED_FOR)
            is_full = not _is_writable(writing)
            slowest = max(answer.seconds for answer in load.answers)
            refused = [f"{a.status}" for a in load.answers if a.status not in (200, 201, 204)]
            return (
                holds(
                    "pipe of the log",
                    "full" if is_full else "has room",
                    met=is_full,
                    to_reach="full",
                ),
                none_of("changes not acknowledged", refused, f" of {len(load.answers):,}"),
                at_most("slowest answer", SLOWEST, slowest, "s"),
                *register_findings(bank, load),
            )
    finally:
        os.close(writing)
        os.close(reading)


def _is_writable(descriptor: int) -> bool:
    """Tell whether a pipe takes another page of lines."""
    import select  # noqa: PLC0415

    return bool(select.select([], [descriptor], [], 0)[1])


def clients_leave(ground: Ground) -> tuple[Finding, ...]:
    """Leave before, during and after the commit; then ask again with the same bytes."""
    chance = random.Random(SEED)
    with ground.running(operations__port=0) as bank:
        load = ground.load(bank, workers=1)
        (worker,) = load.workers
        worker.ledger.begin(worker.party, worker.chance)
        worker.settle(within=5)
        worker.party.close()
        before = open_files(bank.process.pid)
        operator = Operator(bank)
        for _ in range(ground.rounds or DISCONNECTIONS):
            step = worker.ledger.begin(worker.party, worker.chance)
            _leave(worker, step.draft, chance)
            worker.settle(within=5)
        happened = sum(a.status in (200, 201, 204) for a in worker.answers)
        worker.party.close()
        clean = wait_until(lambda: open_files(bank.process.pid) <= before, 15)
        left = operator.sample("enrol_requests_in_flight")
        return (
            at_least(
                "clients that left, then asked again",
                DISCONNECTIONS if ground.rounds is None else ground.rounds,
                happened - 1,
            ),
            none_of("requests still in progress", ["1"] * int(left)),
            holds(
                "connections left open",
                "none" if clean is not None else "some",
                met=clean is not None,
                to_reach="none",
            ),
            *register_findings(bank, load),
            no_500(load),
        )


def _leave(worker: Worker, draft: Draft, chance: random.Random) -> None:
    """Send all or a part of a request, and leave in one of several ways at a random moment."""
    data = draft.to_bytes()
    end = len(data) if chance.random() < 0.75 else chance.randrange(len(data))
    with worker.party.connect() as connection:
        connection.sendall(data[:end])
        time.sleep(chance.uniform(0, 0.015))
        with contextlib.suppress(OSError):
            match chance.randrange(3):
                case 0:  # a reset
                    option = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
                case 1:  # half a close, after which the answer may come
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(0.05)
                    connection.recv(1)
                case _:  # a whole one
                    pass


FAULTS = (
    Fault("F-38", "nobody reads the pipe that the log goes into, under load", log_blocked),
    Fault(
        "F-40",
        "clients leave before, during and after the commit, by reset, half-close or close",
        clients_leave,
    ),
)
