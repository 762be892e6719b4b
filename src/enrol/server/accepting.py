"""The listening sockets of a listener, which it may have in common with other processes."""

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from typing import Final

import structlog

_RETRY_SECONDS: Final = 0.1
_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_log = structlog.get_logger(__name__)


class Accepting:
    """Takes the connections that come, on the running loop, and gives them to `admit`.

    A connection that was taken is never lost, as it would be with a task that is cancelled.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        admit: Callable[[socket.socket], None],
        *,
        backlog: int,
    ) -> None:
        """Listen, and take connections from now on."""
        self._sockets = sockets
        self._admit = admit
        self._backlog = backlog
        self._loop = asyncio.get_running_loop()
        for sock in sockets:
            sock.listen(backlog)
            sock.setblocking(False)
            self._take_from(sock)

    def take_the_waiting(self) -> None:
        """Take at once all who wait to be let in."""
        for sock in self._sockets:
            for _ in range(self._backlog):
                if not self._take(sock):
                    break

    def stop(self) -> None:
        """Take no more; the sockets stay with other processes that have them, if there are any."""
        for sock in self._sockets:
            if sock.fileno() >= 0:
                self._loop.remove_reader(sock)
                sock.close()

    def _take_from(self, listening: socket.socket) -> None:
        if listening.fileno() >= 0:
            self._loop.add_reader(listening, self._take, listening)

    def _take(self, listening: socket.socket) -> bool:
        """Take one connection, if there is one; a storm of them leaves room for requests."""
        if listening.fileno() < 0:
            return False
        try:
            sock, _ = listening.accept()
        except BlockingIOError:  # another process was quicker
            return False
        except OSError as error:
            _log.warning("connection_not_accepted", cause=error.strerror)
            if error.errno in _EXHAUSTED:
                self._loop.remove_reader(listening)
                self._loop.call_later(_RETRY_SECONDS, self._take_from, listening)
            return False
        sock.setblocking(False)
        self._admit(sock)
        return True
