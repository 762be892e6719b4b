"""Signals that wake a loop which waits for something to read."""

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from enrol.bootstrap.workers.child import HEEDED

Ends = tuple[socket.socket, socket.socket]


@contextmanager
def woken_by_signals() -> Iterator[Ends]:
    """Give out a pair of sockets; the number of each signal that comes can be read of the first."""
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    before = {each: signal.signal(each, _wake) for each in HEEDED}
    try:
        yield reading, writing
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        signal.set_wakeup_fd(-1)
        reading.close()
        writing.close()


def _wake(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: the number of the signal stands where the loop reads it."""
