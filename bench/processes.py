"""A server in processes of its own, on CPUs of its own, and what it uses."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 30


class UnmeasuredError(Exception):
    """What was to be measured is not there, or did not do what is measured; the text says why."""


@dataclass(frozen=True, slots=True)
class Cpus:
    """Which CPUs the workers have, and which the rest: the load, and a database server."""

    server: frozenset[int]
    rest: frozenset[int]

    @property
    def apart(self) -> bool:
        """Whether the workers have theirs for themselves."""
        return not self.server & self.rest


def share_out(workers: int, there: Iterable[int] | None = None) -> Cpus:
    """Give each worker a CPU of its own where one is left for the rest; else they share all."""
    cpus = sorted(os.sched_getaffinity(0) if there is None else there)
    if len(cpus) <= workers:
        return Cpus(frozenset(cpus), frozenset(cpus))
    return Cpus(frozenset(cpus[:workers]), frozenset(cpus[workers:]))


@dataclass(frozen=True, slots=True)
class Process:
    """A running server with its children, by process id."""

    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time it and its children used so far."""
        return sum(_cpu_ticks(pid) for pid in self.tree()) / _TICKS

    def resident_megabytes(self) -> float:
        """Return the resident memory of its largest process, one that answers."""
        return max(_resident_kilobytes(pid) for pid in self.tree()) / 1024

    def tree(self) -> list[int]:
        """Return the process ids, its own first."""
        tree = [self.pid]
        for parent in tree:
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            tree.extend(map(int, children.split()))
        return tree


def _cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])  # utime, stime


def _resident_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


@contextmanager
def on_cpus(cpus: Iterable[int]) -> Iterator[None]:
    """Run this thread, and what it starts meanwhile, on some CPUs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cpus) & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    port: int,
    log: Path,
    environment: Mapping[str, str],
    workers: int = 1,
    patience: float = _START_SECONDS,
) -> Iterator[Process]:
    """Run a server on its workers' CPUs until it listens on `port`, and stop it at the end.

    Raises `UnmeasuredError` where it does not listen within `patience` seconds.
    """
    with log.open("ab") as sink, on_cpus(share_out(workers).server):
        server = subprocess.Popen(command, stdout=sink, stderr=sink, env=os.environ | environment)
    try:
        _await_listening(server, port, log, patience)
        yield Process(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await_listening(
    server: subprocess.Popen[bytes], port: int, log: Path, patience: float
) -> None:
    end = time.monotonic() + patience
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text("utf-8", "replace").strip().splitlines()[-1:]
    raise UnmeasuredError(f"it did not listen: {' '.join(said)[-300:]}")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
