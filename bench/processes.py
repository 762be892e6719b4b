"""A server in a process of its own, on a CPU of its own, and what it uses."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 30
SERVER_CPU, GENERATOR_CPU = 0, 1


@dataclass(frozen=True, slots=True)
class Process:
    """A running server with its children, by process id."""

    pid: int

    def cpu_seconds(self) -> float:
        """Return the CPU time it and its children used so far."""
        return sum(_cpu_ticks(pid) for pid in self._tree()) / _TICKS

    def resident_megabytes(self) -> float:
        """Return the resident memory of its largest process, the one that answers."""
        return max(_resident_kilobytes(pid) for pid in self._tree()) / 1024

    def _tree(self) -> list[int]:
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
def on_cpu(cpu: int) -> Iterator[None]:
    """Run this thread, and what it starts meanwhile, on one CPU, where there are two."""
    before = os.sched_getaffinity(0)
    if len(before) > 1:
        os.sched_setaffinity(0, {cpu} & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def running(
    command: Sequence[str | Path], *, port: int, log: Path, environment: Mapping[str, str]
) -> Iterator[Process]:
    """Run a server on the server's CPU until it listens on `port`, and stop it at the end."""
    with log.open("ab") as sink, on_cpu(SERVER_CPU):
        server = subprocess.Popen(command, stdout=sink, stderr=sink, env=os.environ | environment)
    try:
        _await_listening(server, port, log)
        yield Process(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await_listening(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{server.args!r} does not listen:\n{log.read_text()[-2000:]}")


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
