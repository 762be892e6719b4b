"""What systemd, or whoever started a process, hears of it: that it is ready, and lives.

The states are those of sd_notify(3).
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Protocol

READY: Final = "READY=1"
ALIVE: Final = "WATCHDOG=1"
RELOADING: Final = "RELOADING=1"
STOPPING: Final = "STOPPING=1"


class Superior(Protocol):
    """Who started this process, and wants to know how it is."""

    @property
    def every(self) -> float | None:
        """How often this process must be heard of, in seconds; None where nobody listens."""

    def tell(self, state: str) -> None:
        """Tell a state; it is never waited for."""

    def heed(self, *, retire: Callable[[], None], stop: Callable[[], None]) -> None:
        """Do what is said from now on, on the running loop."""


class ServiceManager:
    """What runs the service, systemd for one; it speaks by signals."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._environment = environment

    @property
    def every(self) -> float | None:
        """How often this process must be heard of, in seconds; None where nobody listens."""
        microseconds = self._environment.get("WATCHDOG_USEC", "")
        pid = self._environment.get("WATCHDOG_PID", "")
        if not microseconds.isdecimal() or pid not in ("", str(os.getpid())):
            return None
        return int(microseconds) / 1e6 or None

    def tell(self, state: str) -> None:
        """Send a state, if there is somewhere to send it to."""
        address = self._environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return
        name = "\0" + address[1:] if address.startswith("@") else address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(state.encode("ascii"), name)

    def heed(self, *, retire: Callable[[], None], stop: Callable[[], None]) -> None:
        """Leave it to the signals."""


async def feed_watchdog(superior: Superior) -> None:
    """Say at half the interval asked for that the loop turns; to be cancelled."""
    every = superior.every
    while every is not None:
        superior.tell(ALIVE)
        await asyncio.sleep(every / 2)
