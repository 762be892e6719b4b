"""What a worker and its supervisor say to each other, over a pair of sockets."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Final

ALIVE_EVERY: Final = 10.0
"""Seconds within which a worker is heard of."""

LONGEST: Final = 64

_RETIRE: Final = b"RETIRE"


class Line:
    """The worker's end.

    Where the other end is gone nobody supervises any more, and the worker stops.
    """

    every: float | None = ALIVE_EVERY

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def tell(self, state: str) -> None:
        """Tell the supervisor a state."""
        with suppress(OSError):
            self._sock.send(state.encode("ascii"))

    def heed(self, *, retire: Callable[[], None], stop: Callable[[], None]) -> None:
        """Do what is said from now on, on the running loop."""
        loop = asyncio.get_running_loop()

        def hear() -> None:
            said = hear_of(self._sock)
            if said == _RETIRE:
                retire()
            elif said == b"":
                loop.remove_reader(self._sock)
                stop()

        loop.add_reader(self._sock, hear)


def new_line() -> tuple[socket.socket, socket.socket]:
    """Return the supervisor's end and the worker's."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setblocking(False)
    return ends


def ask_to_retire(end: socket.socket) -> None:
    """Ask the worker at the other end to leave its work to others."""
    with suppress(OSError):
        end.send(_RETIRE)


def hear_of(end: socket.socket) -> bytes | None:
    """Return what was said, nothing where the other end is gone, None where nothing was said."""
    try:
        return end.recv(LONGEST)
    except BlockingIOError:
        return None
    except OSError:
        return b""
