"""Where a process stands among those that make up a server, and what they have in common."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from enrol.adapters.control.server import bind_control
from enrol.adapters.control.wire import control_path
from enrol.adapters.service_manager import ServiceManager, Superior
from enrol.adapters.unix_socket import bind_unix_socket
from enrol.bootstrap.listening import listener_settings, operations_settings
from enrol.bootstrap.operating import house_of
from enrol.errors import ConfigurationError
from enrol.server.listener import bound_socket
from enrol.settings import Settings

_log = structlog.get_logger("enrol.bootstrap")


@dataclass(frozen=True, slots=True)
class Sockets:
    """What a server listens on; each worker has one of `operations`, if there are any.

    `control` is where commands come, or why they cannot.
    """

    tpps: socket.socket
    operations: tuple[socket.socket, ...]
    control: socket.socket | Exception


@dataclass(frozen=True, slots=True)
class Station:
    """One of the `size` workers of a server, and who it tells that it is ready.

    The first does what one of a node has to do.
    """

    sockets: Sockets
    number: int = 1
    size: int = 1
    superior: Superior = field(default_factory=ServiceManager)

    @property
    def is_first(self) -> bool:
        """Whether it does what one of a node has to do."""
        return self.number == 1

    @property
    def operations(self) -> socket.socket | None:
        """Where operators ask this one."""
        return self.sockets.operations[self.number - 1] if self.sockets.operations else None

    @property
    def control(self) -> socket.socket | None:
        """Where this one takes commands, None where another does, or nobody can."""
        if not self.is_first:
            return None
        if isinstance(self.sockets.control, Exception):
            _log.error(
                "control_unavailable",
                cause=str(self.sockets.control),
                meaning="enrol admin does nothing while this runs",
            )
            return None
        return self.sockets.control


@contextmanager
def bound_sockets(settings: Settings, *, workers: int) -> Iterator[Sockets]:
    """Bind what a server listens on, and give it up at the end; raises `ConfigurationError`.

    The operations of the second worker are one port above those of the first, and so on. Without
    a socket for commands TPPs are served all the same.
    """
    path = control_path(settings.premises)
    with ExitStack() as opened:
        tpps = opened.enter_context(closing(_bind_for_tpps(settings)))
        operations = []
        for index in range(workers):
            listening = operations_settings(settings, index=index)
            if listening is not None:
                operations.append(opened.enter_context(closing(bound_socket(listening))))
        control = _bind_for_commands(settings, path)
        if isinstance(control, socket.socket):
            opened.enter_context(closing(control))
            opened.callback(_remove, path)
        yield Sockets(tpps, tuple(operations), control)


def _bind_for_tpps(settings: Settings) -> socket.socket:
    """Return the socket that TPPs come by, or a proxy."""
    if settings.proxy.socket is not None:
        return bind_unix_socket(settings.proxy.socket)
    return bound_socket(listener_settings(settings))


def _bind_for_commands(settings: Settings, path: Path) -> socket.socket | Exception:
    house = house_of(settings)
    try:
        return bind_control(path, house)
    except (ConfigurationError, OSError) as exc:
        return exc


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
