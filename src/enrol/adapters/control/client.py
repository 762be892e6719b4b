"""The end of the control socket that a command has."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from enrol.adapters.control.peers import ROOT, account_of, listener_of
from enrol.adapters.control.wire import (
    LONGEST_ANSWER,
    CarryOut,
    Done,
    HandleMessages,
    Refused,
    Request,
    SetStates,
    control_path,
    parse_answer,
    read_line,
    write_line,
)
from enrol.adapters.unix_socket import address_of
from enrol.errors import ConfigurationError, MalformedRequestError, RefusalError
from enrol.registration.message_orders import MessageOrder
from enrol.registration.operators import Order
from enrol.registration.ports import StateChange
from enrol.registration.record import ClientRecord

PATIENCE: Final = 30
"""Seconds a connection is waited for, and an answer."""

_TIMEVAL: Final = struct.Struct("@ll")


class Control:
    """The server whose file of SQLite or folder `premises` is, as a command speaks to it.

    What is asked raises `RefusalError` with the code the server refuses with, and
    `ConfigurationError` where there is no server, or none that can be believed or answers.
    """

    def __init__(self, premises: Path) -> None:
        self._premises = premises.resolve()
        self._path = control_path(premises)

    async def is_served(self) -> bool:
        """Tell whether a server listens; raises `ConfigurationError` where none may be asked."""
        connection = await asyncio.to_thread(self._connect)
        if connection is None:
            return False
        connection.close()
        return True

    def unreachable(self) -> ConfigurationError:
        """Return what to say where the register is in use by who does not listen."""
        return ConfigurationError(
            "control_unreachable",
            f"{self._premises} is in use, and nobody listens at {self._path}: a command is at "
            "work, a server starts or stops, or its log has control_unavailable. Try again in a "
            "moment.",
        )

    async def carry_out(self, order: Order, *, actor: str | None) -> ClientRecord:
        """Have an order carried out, in the name of `actor` if one is given."""
        done = await self._ask(CarryOut(order, actor))
        if done.client is None:
            raise self._unclear("did not say what became of the client")
        return done.client

    async def set_states(self, changes: Sequence[StateChange]) -> None:
        """Have changes of state carried out, as many as fit into a request."""
        await self._ask(SetStates(tuple(changes)))

    async def handle_messages(self, order: MessageOrder, *, actor: str | None) -> None:
        """Have an order about messages carried out, in the name of `actor` if one is given."""
        await self._ask(HandleMessages(order, actor))

    async def _ask(self, request: Request) -> Done:
        async with self._connection() as connection:
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(PATIENCE):
                    with suppress(BrokenPipeError, ConnectionResetError):
                        await loop.sock_sendall(connection, write_line(request))
                    # who is refused at once is told without having been heard
                    line = await read_line(connection, longest=LONGEST_ANSWER)
                answer = parse_answer(line)
            except TimeoutError as exc:
                raise self._unclear(f"did not answer in {PATIENCE} seconds") from exc
            except (OSError, MalformedRequestError) as exc:
                raise self._unclear("ended before it answered") from exc
        match answer:
            case Done():
                return answer
            case Refused(code):
                raise RefusalError(code)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[socket.socket]:
        connection = await asyncio.to_thread(self._connect)
        if connection is None:
            raise self.unreachable()
        with connection:
            connection.setblocking(False)
            yield connection

    def _connect(self) -> socket.socket | None:
        """Return a connection to the server, None without one; waits while others are served."""
        connection = socket.socket(socket.AF_UNIX)
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL.pack(int(PATIENCE), 0)
        )
        try:
            with address_of(self._path) as address:
                connection.connect(address)
            self._check_server(listener_of(connection))
        except (FileNotFoundError, ConnectionRefusedError):
            connection.close()
            return None
        except BlockingIOError as exc:
            connection.close()
            raise self._unclear("takes no connection") from exc
        except OSError as exc:
            connection.close()
            raise ConfigurationError(
                "control_forbidden",
                f"{self._path} cannot be connected to ({exc.strerror}); run this as the account "
                "of the server, as root, or as a member of the group in server.operators.",
            ) from exc
        except ConfigurationError:
            connection.close()
            raise
        return connection

    def _check_server(self, uid: int) -> None:
        """Refuse a socket that somebody else put there."""
        if uid not in (ROOT, os.geteuid(), self._premises.stat().st_uid):
            raise ConfigurationError(
                "control_impostor",
                f"{self._path} is served by the account {account_of(uid)}, which is not the one "
                f"{self._premises} belongs to; nothing was said to it.",
            )

    def _unclear(self, what: str) -> ConfigurationError:
        return ConfigurationError(
            "control_no_answer",
            f"The server at {self._path} {what}; whether it was done is not known. Look, and "
            "try again.",
        )
