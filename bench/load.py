"""The load: connections that each send a request, wait for the answer, and send the next.

The same code for every system; answers are parsed no further than their status and length.
"""

import asyncio
import gc
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bench.processes import Process

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_END = b"\r\n\r\n"
CREATED, OK = 201, 200


@dataclass(frozen=True, slots=True)
class Line:
    """One connection of the load: the TLS identity it uses, if any, and the requests it sends.

    An answer is a success where it has the status `expected`.
    """

    requests: Iterator[bytes]
    tls: ssl.SSLContext | None = None
    expected: int = CREATED


@dataclass(slots=True)
class Tally:
    """What was counted while `recording`; latencies in seconds, of successes only.

    `succeeded` counts every success, those before and after that too.
    """

    recording: bool = False
    over: bool = False
    succeeded: int = 0
    latencies: list[float] = field(default_factory=list)
    failed: int = 0

    def add(self, seconds: float, *, success: bool) -> None:
        """Count one answer, or none where one was due."""
        self.succeeded += success
        if not self.recording:
            return
        if success:
            self.latencies.append(seconds)
        else:
            self.failed += 1


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, one request at a time."""

    def __init__(self) -> None:
        self.is_open = False
        self._received = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self.is_open = True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's
        self.is_open = False
        self._settle(0)

    def exchange(self, request: bytes) -> asyncio.Future[int]:
        """Send a request; the future has the status of its answer, 0 where none came."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._answer

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        end = received.find(_END)
        if end < 0:
            return
        length = _LENGTH.search(received, 0, end)
        if len(received) < end + len(_END) + (int(length[1]) if length else 0):
            return
        self._received = b""
        if _CLOSE.search(received, 0, end):
            self.is_open = False
        self._settle(int(received[9:12]))

    def _settle(self, status: int) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


async def _drive(line: Line, port: int, tally: Tally) -> None:
    """Send the requests of a line until they end, or the load does."""
    connection = None
    for request in line.requests:
        if tally.over:
            break
        begin = time.perf_counter()
        try:
            if connection is None or not connection.is_open:
                connection = await _connect(line, port)
            status = await connection.exchange(request)
        except OSError:
            status = 0
            await asyncio.sleep(0.01)
        tally.add(time.perf_counter() - begin, success=status == line.expected)
    if connection is not None:
        connection.close()


async def _connect(line: Line, port: int) -> Connection:
    host = "localhost" if line.tls else None
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, "127.0.0.1", port, ssl=line.tls, server_hostname=host
    )
    return connection


@dataclass(frozen=True, slots=True)
class Window:
    """What one run measured; times in seconds, CPU time of the system and of this generator.

    `succeeded` counts every success, outside the window too.
    """

    elapsed: float
    latencies: list[float]
    failed: int
    system_cpu: float
    generator_cpu: float
    resident_megabytes: float
    succeeded: int


async def run_load(
    lines: list[Line],
    port: int,
    *,
    warm_up: float,
    seconds: float,
    process: Process,
) -> Window:
    """Keep all lines busy for `warm_up` seconds, then measure, until the requests end at most."""
    tally = Tally()
    gc.disable()  # a collection here would show as latency there
    drivers = [asyncio.create_task(_drive(line, port, tally)) for line in lines]
    await asyncio.sleep(warm_up)
    begin, cpu, own = time.perf_counter(), process.cpu_seconds(), time.process_time()
    tally.recording = True
    await asyncio.wait(drivers, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    tally.recording = False
    elapsed, used = time.perf_counter() - begin, process.cpu_seconds() - cpu
    own, resident = time.process_time() - own, process.resident_megabytes()
    tally.over = True
    await asyncio.wait_for(asyncio.gather(*drivers), timeout=30)
    gc.enable()
    return Window(elapsed, tally.latencies, tally.failed, used, own, resident, tally.succeeded)
