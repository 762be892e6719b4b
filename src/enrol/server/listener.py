"""The listener: accepts TLS connections within its limits, and stops without losing a request."""

import asyncio
import contextlib
import faulthandler
import logging
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Generator
from types import FrameType

import uvicorn
from uvicorn._types import ASGI3Application
from uvicorn.config import STARTUP_FAILURE
from uvicorn.server import HANDLED_SIGNALS

from enrol.errors import ConfigurationError, RefusalError
from enrol.registration.meters import Meters
from enrol.registration.ports import Clock
from enrol.server.accepting import Accepting
from enrol.server.alerts import alert
from enrol.server.answer import Answer
from enrol.server.drain import Drain
from enrol.server.listener_settings import ListenerSettings
from enrol.server.peer import Acquaintance, know_by_handshake
from enrol.server.protocol import StrictProtocol, Surroundings
from enrol.server.tls import TlsSettings, server_context
from enrol.server.wire import closing_answer

_FORCED_EXIT_SECONDS = 1.5
_POLL_SECONDS = 0.05
_FLUSH_SECONDS = 0.5
_LAST_SECONDS = 0.5


class Listener(uvicorn.Server):
    """uvicorn's server with its own way to accept connections and to stop.

    `turned_away` counts connections closed because there were too many, `failed_handshakes` those
    that did not come to speak TLS.
    """

    def __init__(
        self,
        app: ASGI3Application,
        settings: ListenerSettings,
        *,
        tls: TlsSettings | None,
        drain: Drain,
        closing: Callable[[RefusalError], Answer],
        on_ready: Callable[[str, int], None],
        know: Acquaintance = know_by_handshake,
    ) -> None:
        super().__init__(_config(app))
        self._settings = settings
        self._context = server_context(tls) if tls is not None else None
        self._drain = drain
        self._on_ready = on_ready
        self._around = Surroundings(settings, drain, know, closing, self._lost)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = 0  # connections, those in their handshake included
        self._accepting: Accepting | None = None
        self._handshakes: set[asyncio.Task[None]] = set()
        self.turned_away = 0
        self.failed_handshakes = 0

    @property
    def open_connections(self) -> int:
        """How many connections there are, those in their handshake included."""
        return self._open

    def use(self, context: ssl.SSLContext) -> None:
        """Let `context` serve the connections that come from now on: new trust, new certificate."""
        self._context = context

    # Start

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then listen on `sockets`, or on the address of the settings."""
        self._loop = asyncio.get_running_loop()
        listening = sockets or [bound_socket(self._settings)]
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        self._accepting = Accepting(listening, self._admit, backlog=self._settings.backlog)
        self.servers = []
        self.started = True
        address = listening[0].getsockname()
        self._on_ready(*((address, 0) if isinstance(address, str) else address[:2]))

    # Connections

    def _admit(self, sock: socket.socket) -> None:
        if self._open >= self._settings.connections:
            self.turned_away += 1
            sock.close()  # before any cryptography is spent on it
            return
        self._open += 1
        task = asyncio.create_task(self._begin(sock))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _begin(self, sock: socket.socket) -> None:
        protocol = StrictProtocol(
            self.config, self.server_state, self.lifespan.state, surroundings=self._around
        )
        try:
            await self._shake_hands(protocol, sock)
        except OSError:  # of TLS, of the network, or the deadline
            self.failed_handshakes += 1
        finally:
            if not protocol.established:
                self._lost()

    async def _shake_hands(self, protocol: StrictProtocol, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        if self._context is None:  # a Unix socket
            await loop.connect_accepted_socket(lambda: protocol, sock)
            return
        alert.set(sock.send)
        await loop.connect_accepted_socket(
            lambda: protocol,
            sock,
            ssl=self._context,
            ssl_handshake_timeout=self._settings.handshake,
            ssl_shutdown_timeout=self._settings.linger,
        )

    def _lost(self) -> None:
        self._open -= 1

    # Stop

    def stop(self) -> None:
        """Begin to drain; safe in a signal handler and from another thread."""
        self._drain.begin()
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._close_after_answers)

    def accept_no_more(self) -> None:
        """Take no new connections; in its loop."""
        if self._accepting is not None:
            self._accepting.stop()

    def retire(self) -> None:
        """Begin to leave while others take over, so that nobody is turned away; in its loop."""
        self._drain.retire()
        self.accept_no_more()
        self._close_after_answers()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Drain at the first signal; at the second leave, whatever hangs."""
        if self._drain.draining:
            self.force_exit = True
            faulthandler.dump_traceback_later(_FORCED_EXIT_SECONDS, exit=True)
        self.stop()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Handle the signals that stop, and do not raise them again at the end as uvicorn does."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {sig: signal.signal(sig, self.handle_exit) for sig in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - same
        """Finish the requests in progress, then close everything.

        Until they are finished new connections and requests still come in, for the application to
        answer 503; a connection lost without a word would look like an outage. One that retires
        takes none, and answers those who have one as always.
        """
        await self._say_farewell()
        await self._finish_requests()
        await self._answer_the_last()
        self.accept_no_more()
        for task in self._handshakes:
            task.cancel()
        for connection in self._connections():
            connection.shutdown()
        await self._wait_while(lambda: bool(self._connections()), seconds=_FLUSH_SECONDS)
        for connection in self._connections():
            connection.transport.abort()
        for request in self.server_state.tasks:
            request.cancel()
        if not self.force_exit:
            await self.lifespan.shutdown()

    def _close_after_answers(self) -> None:
        for connection in self._connections():
            if not connection.idle:
                connection.shutdown()

    async def _say_farewell(self) -> None:
        """Retiring, let every connection ask once more, or go as it is idle."""
        if self._drain.draining:
            return
        await self._wait_while(
            lambda: self._open > 0 and not self._drain.draining, seconds=self._settings.farewell
        )
        await self._wait_while(self._has_newcomers, seconds=_LAST_SECONDS)

    async def _answer_the_last(self) -> None:
        """Let those in who connected before the end, and answer what they ask at once."""
        if self._accepting is not None and self._drain.draining:
            self._accepting.take_the_waiting()
            await self._wait_while(self._has_newcomers, seconds=_LAST_SECONDS)

    def _has_newcomers(self) -> bool:
        """Whether somebody has come who did not get to ask."""
        return bool(self._handshakes) or any(c.untried for c in self._connections())

    async def _finish_requests(self) -> None:
        busy = [connection for connection in self._connections() if not connection.idle]
        requests = list(self.server_state.tasks)

        def unfinished() -> bool:
            open_now = self.server_state.connections
            return any(c in open_now and not c.idle for c in busy) or not all(
                request.done() for request in requests
            )

        await self._wait_while(unfinished, seconds=self._settings.drain)

    async def _wait_while(self, condition: Callable[[], bool], *, seconds: float) -> None:
        end = asyncio.get_running_loop().time() + seconds
        # uvicorn's sets of connections and tasks tell nobody when they change.
        while condition() and not self.force_exit and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)

    def _connections(self) -> list[StrictProtocol]:
        return [c for c in self.server_state.connections if isinstance(c, StrictProtocol)]


def run_listener(
    app: ASGI3Application,
    settings: ListenerSettings,
    *,
    tls: TlsSettings | None,
    drain: Drain,
    clock: Clock,
    error_base: str,
    on_ready: Callable[[str, int], None],
    on_listener: Callable[[Listener], None] = lambda _: None,
    know: Acquaintance = know_by_handshake,
    sockets: list[socket.socket] | None = None,
    meters: Meters | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code of the process.

    0: all requests were finished, or cut off after ``settings.drain``. 1: a second signal
    cut them off; when something then hangs, the process ends with 1 within 2 seconds.
    `on_ready` is called with the address once the listener accepts connections, `on_listener`
    before, with the listener, for whoever changes its trust later. `know` says whom connections
    come from. `sockets` are bound already; without them the address of the settings is.
    `meters` count what is answered without the application.
    Raises ConfigurationError before that.
    """
    unread = (meters or Meters()).entry_point("")

    def closing(refusal: RefusalError) -> Answer:
        answer = closing_answer(refusal, at=clock(), error_base=error_base)
        unread.cut_off(answer.status, refusal.code)
        return answer

    listener = Listener(
        app, settings, tls=tls, drain=drain, closing=closing, on_ready=on_ready, know=know
    )
    on_listener(listener)
    try:
        listener.run(sockets)
    finally:
        faulthandler.cancel_dump_traceback_later()
    return 1 if listener.force_exit else 0


def _config(app: ASGI3Application) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=StrictProtocol,
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,  # the application writes it, for it may be signed
    )


def bound_socket(settings: ListenerSettings) -> socket.socket:
    """Return a socket bound to the address of the settings; raises `ConfigurationError`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            "listen_address_unavailable",
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}",
        ) from error
    return sock
