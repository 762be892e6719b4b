"""What systemd is told: that the server is ready, and that its loop turns (sd_notify(3))."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

READY: Final = "READY=1"

_ALIVE: Final = "WATCHDOG=1"


def tell_service_manager(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send a state to who started this process, if that wants to know; it is never waited for."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.sendto(state.encode("ascii"), name)


async def feed_watchdog(environment: Mapping[str, str] = os.environ) -> None:
    """Say at half the interval asked for that the loop turns; to be cancelled."""
    every = _watchdog_seconds(environment)
    while every is not None:
        tell_service_manager(_ALIVE, environment)
        await asyncio.sleep(every / 2)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return how often this process must be heard of, None where nobody listens."""
    microseconds, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or pid not in ("", str(os.getpid())):
        return None
    return int(microseconds) / 1e6 or None
