"""What systemd hears of a server."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from enrol.adapters.service_manager import READY, ServiceManager, feed_watchdog


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A service manager that listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(10)
        yield sock


def test_a_state_is_told_by_the_socket_that_is_named(manager: socket.socket) -> None:
    ServiceManager({"NOTIFY_SOCKET": manager.getsockname()}).tell(READY)
    assert manager.recv(100) == b"READY=1"


def test_an_address_without_a_file_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0enrol-test-{os.getpid()}")
        sock.settimeout(10)
        ServiceManager({"NOTIFY_SOCKET": f"@enrol-test-{os.getpid()}"}).tell(READY)
        assert sock.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", [None, "", "relative", "/nobody/is/here"])
def test_without_a_listener_nothing_happens(address: str | None) -> None:
    ServiceManager({} if address is None else {"NOTIFY_SOCKET": address}).tell(READY)


async def test_the_watchdog_hears_of_the_loop_again_and_again(manager: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "2000"}
    manager_of_ours = ServiceManager(environment | {"WATCHDOG_PID": str(os.getpid())})
    feeding = asyncio.create_task(feed_watchdog(manager_of_ours))
    heard = [await asyncio.to_thread(manager.recv, 100) for _ in range(3)]
    feeding.cancel()
    assert heard == [b"WATCHDOG=1"] * 3


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"},
    ],
)
async def test_a_watchdog_that_is_not_ours_is_left_alone(
    manager: socket.socket, asked: dict[str, str]
) -> None:
    await feed_watchdog(ServiceManager({"NOTIFY_SOCKET": manager.getsockname(), **asked}))
    manager.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.recv(100)
