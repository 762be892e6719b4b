"""What goes over the control socket: a JSON line that asks, a JSON line that answers."""

import asyncio
import socket
from pathlib import Path
from typing import Final

import msgspec

from enrol.errors import MalformedRequestError
from enrol.registration.message_orders import MessageOrder
from enrol.registration.operators import Order
from enrol.registration.ports import StateChange
from enrol.registration.record import ClientRecord

LONGEST_REQUEST: Final = 1024 * 1024
LONGEST_ANSWER: Final = 4 * 1024 * 1024
"""Octets; an answer holds a client with its certificates."""

READING: Final = 5.0
"""Seconds a line may take to arrive, and an answer to be taken."""

_AT_ONCE: Final = 65_536
_END: Final = b"\n"


class CarryOut(msgspec.Struct, frozen=True, tag="order", forbid_unknown_fields=True):
    """An order of whoever the kernel says it is, or of `actor` in whose name that account asks."""

    order: Order
    actor: str | None = None


class SetStates(msgspec.Struct, frozen=True, tag="states", forbid_unknown_fields=True):
    """What a re-check found, with the events to be written; from who may write the register."""

    changes: tuple[StateChange, ...]


class HandleMessages(msgspec.Struct, frozen=True, tag="messages", forbid_unknown_fields=True):
    """What becomes of messages that wait, ordered as `CarryOut` is."""

    order: MessageOrder
    actor: str | None = None


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It is durable; `client` is the one that was ordered about, as it is then."""

    client: ClientRecord | None = None


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It is not done, and the code of why."""

    code: str


Request = CarryOut | SetStates | HandleMessages
Answer = Done | Refused

_encode: Final = msgspec.json.Encoder().encode
_decode_request: Final = msgspec.json.Decoder(Request).decode
_decode_answer: Final = msgspec.json.Decoder(Answer).decode


def control_path(premises: Path) -> Path:
    """Return where a server listens: beside its file of SQLite, else in its folder."""
    place = premises.resolve()
    return place / "enrol.sock" if place.is_dir() else Path(f"{place}.sock")


def write_line(message: Request | Answer) -> bytes:
    """Return a message as its line."""
    return _encode(message) + _END


def parse_request(line: bytes) -> Request:
    """Return the request in a line; raises `MalformedRequestError` ``control_malformed``."""
    try:
        request: Request = _decode_request(line)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise MalformedRequestError("control_malformed") from exc
    return request


def parse_answer(line: bytes) -> Answer:
    """Return the answer in a line; raises `MalformedRequestError` ``control_malformed``."""
    try:
        answer: Answer = _decode_answer(line)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise MalformedRequestError("control_malformed") from exc
    return answer


async def read_line(connection: socket.socket, *, longest: int) -> bytes:
    """Return what comes up to the first line feed.

    Raises `MalformedRequestError` ``control_malformed`` for more than `longest` octets and where
    the line does not end, and `OSError`.
    """
    loop = asyncio.get_running_loop()
    line = bytearray()
    while not line.endswith(_END):
        some = await loop.sock_recv(connection, _AT_ONCE)
        line += some
        if not some or len(line) > longest:
            raise MalformedRequestError("control_malformed")
    return bytes(line)
