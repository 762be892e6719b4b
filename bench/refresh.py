"""What a refresh of trusted lists does to those who register meanwhile: the p99 with and without.

Run: python -m bench.refresh
"""

import asyncio
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

import uvloop

from bench import trust
from bench.desk import Enrol
from bench.load import Line, run_load
from bench.processes import Process, free_port, on_cpus, running, share_out
from enrol.sandbox.folder import open_sandbox

CONNECTIONS, SECONDS, ROUNDS = 8, 4.0, 3
LIMIT = 1.5


def prepare(work: Path) -> Enrol:
    """Make a sandbox whose CA is one of 721 on thirty lists, and requests for all windows."""
    sandbox = work / "sandbox"
    seconds = 2 * ROUNDS * (SECONDS + 1)
    bank = Enrol(sandbox, connections=CONNECTIONS, seconds=seconds)
    operator = trust.write_lists(sandbox / "lists", open_sandbox(sandbox).authority)
    (sandbox / "scheme.pem").write_bytes(operator)
    trust.refresh(sandbox)
    return bank


@contextmanager
def refreshing(sandbox: Path) -> Iterator[None]:
    """Refresh without a pause, each time as the server does: in a process that yields to others."""
    over = threading.Event()

    def refresh() -> None:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while not over.is_set():
            trust.refresh(sandbox)

    thread = threading.Thread(target=refresh)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def p99(lines: list[Line], port: int, process: Process) -> float:
    """Return the p99 of one window in seconds."""
    with on_cpus(share_out(1).rest):
        load = run_load(lines, port, warm_up=1.0, seconds=SECONDS, process=process)
        window = asyncio.Runner(loop_factory=uvloop.new_event_loop).run(load)
    if window.failed:
        raise SystemExit(f"{window.failed} requests failed")
    return quantiles(window.latencies, n=100)[98]


def measure(bank: Enrol, work: Path) -> tuple[float, float]:
    """Return the medians of the p99 without and during refreshes, by turns."""
    sandbox, port = work / "sandbox", free_port()
    command = [sys.executable, "-m", "enrol", "sandbox", "up", sandbox, "--port", str(port)]
    quiet, busy = [], []
    with running(command, port=port, log=work / "log", environment={}) as process:
        for _ in range(ROUNDS):
            quiet.append(p99(bank.lines(port, CONNECTIONS), port, process))
            with refreshing(sandbox):
                busy.append(p99(bank.lines(port, CONNECTIONS), port, process))
    return median(quiet), median(busy)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-refresh-") as name:
        work = Path(name)
        quiet, busy = measure(prepare(work), work)
    print(f"{CONNECTIONS} connections, 721 CAs on 30 lists")
    print(f"p99 without a refresh  {quiet * 1e3:6.1f} ms")
    print(f"p99 during refreshes   {busy * 1e3:6.1f} ms")
    verdict = "met" if busy <= LIMIT * quiet else "MISSED"
    print(f"ratio                  {busy / quiet:6.2f}     at most {LIMIT}   {verdict}")


if __name__ == "__main__":
    main()
