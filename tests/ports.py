"""Ports for servers that have to know theirs before they start."""

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """Return a port that is free, and that no connection takes for its own end meanwhile."""
    while True:
        port = random.randrange(10_000, 30_000)  # the system gives those from 32768 on
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
