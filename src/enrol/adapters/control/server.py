"""The end of the control socket that a server has."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from enrol.adapters.control.peers import House, Peer, actor_of, peer_of
from enrol.adapters.control.wire import (
    LONGEST_REQUEST,
    READING,
    Answer,
    CarryOut,
    Done,
    HandleMessages,
    Refused,
    Request,
    SetStates,
    parse_request,
    read_line,
    write_line,
)
from enrol.adapters.unix_socket import OWNER, OWNER_AND_GROUP, bind_unix_socket
from enrol.errors import (
    EntitlementError,
    MalformedRequestError,
    RefusalError,
    UnavailableError,
)
from enrol.registration.message_orders import MessageDesk
from enrol.registration.operators import OperatorDesk
from enrol.registration.ports import ClientStates
from enrol.registration.standing import carry_out

MOST_AT_ONCE: Final = 32
"""Commands that are listened to; those beyond are told to come again."""

_BACKLOG: Final = 128
_RETRY: Final = 0.1
_log = structlog.get_logger(__name__)


def bind_control(path: Path, house: House) -> socket.socket:
    """Return the socket at `path`, for the account of this process and for the group of operators.

    What a server that is gone left there is replaced; who binds it removes it. Raises
    `ConfigurationError` as `bind_unix_socket` does, and `OSError` where this account is no member
    of the group.
    """
    listening = bind_unix_socket(path, mode=OWNER)
    try:
        if house.operators is not None:
            os.chown(path, -1, house.operators)
            path.chmod(OWNER_AND_GROUP)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        path.unlink(missing_ok=True)
        raise
    return listening


@asynccontextmanager
async def serve_control(listening: socket.socket, office: "Office") -> AsyncIterator[None]:
    """Serve what comes by the socket; at the end what was begun is finished."""
    connections = _Connections(office, listening)
    connections.accept()
    try:
        yield
    finally:
        connections.accept_no_more()
        listening.close()
        await connections.finish()


class Office:
    """Does what is asked, if it may be asked by who asks it."""

    def __init__(
        self, desk: OperatorDesk, states: ClientStates, messages: MessageDesk, house: House
    ) -> None:
        self._desk = desk
        self._states = states
        self._messages = messages
        self._house = house

    def check_admitted(self, peer: Peer) -> None:
        """Raise `EntitlementError` ``control_not_entitled`` for whom nothing is done."""
        if not self._house.admits(peer):
            raise EntitlementError("control_not_entitled")

    async def do(self, request: Request, peer: Peer) -> Done:
        """Do what an admitted peer asks; raises `RefusalError`."""
        match request:
            case CarryOut(order, claimed):
                actor = await self._actor(peer, claimed)
                record = await self._desk.carry_out(order, actor=actor)
                _log.info("order_carried_out", action=order.action.value, actor=actor)
                return Done(record)
            case SetStates(changes):
                if not self._house.is_trusted(peer.uid):
                    raise EntitlementError("control_not_entitled")
                await carry_out(self._states, changes)
                return Done()
            case HandleMessages(wanted, claimed):
                actor = await self._actor(peer, claimed)
                await self._messages.carry_out(wanted, actor=actor)
                _log.info("messages_handled", action=wanted.action.value, id=wanted.id, actor=actor)
                return Done()

    async def _actor(self, peer: Peer, claimed: str | None) -> str:
        """Return who an order is written down as; names of accounts may come over the network."""
        return await asyncio.to_thread(actor_of, peer.uid, claimed, self._house)


class _Connections:
    """The connections of a control socket: one request each, a few at once."""

    def __init__(self, office: Office, listening: socket.socket) -> None:
        self._office = office
        self._listening = listening
        self._loop = asyncio.get_running_loop()
        self._again: asyncio.TimerHandle | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self._admitted = 0

    def accept(self) -> None:
        """Take connections from now on."""
        self._loop.add_reader(self._listening, self._take)

    def accept_no_more(self) -> None:
        """Take no more connections."""
        self._loop.remove_reader(self._listening)
        if self._again is not None:
            self._again.cancel()

    def _take(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as exc:
            _log.warning("control_not_accepted", cause=exc.strerror)
            self._loop.remove_reader(self._listening)
            self._again = self._loop.call_later(_RETRY, self.accept)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._serve(connection))
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def finish(self) -> None:
        """Wait for what is being done, and leave those who have not asked yet."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # it has gone, or does not take its answer
            line = write_line(await self._answer(connection))
            await asyncio.wait_for(self._loop.sock_sendall(connection, line), READING)

    async def _answer(self, connection: socket.socket) -> Answer:
        """Return what a connection is answered with; raises `OSError` where it has gone."""
        peer = peer_of(connection)
        try:
            self._office.check_admitted(peer)
            with self._counted():
                request = parse_request(await self._read(connection))
                return await self._do(request, peer)
        except RefusalError as exc:
            return Refused(exc.code)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count who is listened to; raises `UnavailableError` ``control_busy``."""
        if self._admitted >= MOST_AT_ONCE:
            raise UnavailableError("control_busy")
        self._admitted += 1
        try:
            yield
        finally:
            self._admitted -= 1

    async def _do(self, request: Request, peer: Peer) -> Done:
        try:
            return await self._office.do(request, peer)
        except RefusalError:
            raise
        except Exception as exc:  # the next one is served all the same
            _log.exception("control_failed")
            raise UnavailableError("storage_unavailable") from exc

    async def _read(self, connection: socket.socket) -> bytes:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - it is one that `accept` made
        self._reading.add(task)
        try:
            async with asyncio.timeout(READING):
                return await read_line(connection, longest=LONGEST_REQUEST)
        except TimeoutError as exc:
            raise MalformedRequestError("control_malformed") from exc
        finally:
            self._reading.discard(task)
