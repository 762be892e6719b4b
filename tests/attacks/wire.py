"""Bytes to the bank and back: TLS that presents anything, answers read to the last byte."""

import contextlib
import select
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from live.party import Reply

PATIENCE = 20.0
"""Seconds after which a bank that says nothing is hanging."""

TLS, CLOSE = "TLS", "CLOSE"


class Identity(Protocol):
    """A certificate chain and its key, PEM files."""

    certificate_file: Path
    key_file: Path


@dataclass(frozen=True)
class Outcome:
    """What came back; `closed` says whether the bank ended the connection after it."""

    replies: tuple[Reply, ...] = ()
    closed: bool = False
    alert: str | None = None

    @property
    def kind(self) -> int | str:
        """The first status, TLS where the handshake was refused, CLOSE where nothing came."""
        if self.replies:
            return self.replies[0].status
        return TLS if self.alert else CLOSE


def client_context(identity: Identity | None) -> ssl.SSLContext:
    """Return a client's TLS that finds nothing too weak; the bank is to refuse."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    if identity is not None:
        context.load_cert_chain(identity.certificate_file, identity.key_file)
    return context


def dial(
    port: int,
    identity: Identity | None,
    *,
    context: ssl.SSLContext | None = None,
    session: ssl.SSLSession | None = None,
) -> ssl.SSLSocket:
    """Connect and shake hands; raises ssl.SSLError where the bank refuses."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    try:
        # Else the request waits 40 ms for the end of the handshake to be acknowledged.
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return (context or client_context(identity)).wrap_socket(
            raw, server_hostname="localhost", session=session
        )
    except BaseException:
        raw.close()
        raise


def exchange(
    port: int, identity: Identity | None, data: bytes | Iterable[bytes], *, replies: int = 1
) -> Outcome:
    """Send on a connection of its own and read as many answers as asked for."""
    return _converse(
        lambda: dial(port, identity), data, until=lambda got, buffer: len(got) == replies
    )


def exhaust(port: int, identity: Identity | None, data: bytes | Iterable[bytes]) -> Outcome:
    """Send on a connection of its own and read until the bank closes it."""
    return _converse(lambda: dial(port, identity), data, until=lambda got, buffer: False)


def listen(connection: socket.socket, data: bytes = b"") -> Outcome:
    """Send on a connection that stands, and read until the bank closes it."""
    return _converse(lambda: connection, data, until=lambda got, buffer: False)


def send_plain(port: int, data: bytes) -> Outcome:
    """Send without TLS."""
    return _converse(
        lambda: socket.create_connection(("127.0.0.1", port), timeout=PATIENCE),
        data,
        until=lambda got, buffer: bool(buffer),
    )


def send_and_leave(port: int, data: bytes) -> None:
    """Send without TLS and be gone, without a word of farewell."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.sendall(data)


def _converse(
    connect: Callable[[], socket.socket],
    data: bytes | Iterable[bytes],
    *,
    until: Callable[[list[Reply], bytes], bool],
) -> Outcome:
    replies: list[Reply] = []
    pieces = [data] if isinstance(data, bytes) else data
    buffer, bodiless = b"", isinstance(data, bytes) and data.startswith(b"HEAD ")
    try:
        with connect() as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                _pump(connection, pieces)
            while not until(replies, buffer):
                received = connection.recv(65_536)
                if not received:
                    return Outcome((*replies, *_rest(buffer)), closed=True)
                buffer += received
                while (parsed := _parse(buffer, bodiless=bodiless)) is not None:
                    replies.append(parsed[0])
                    buffer = parsed[1]
            return Outcome((*replies, *_rest(buffer)))
    except TimeoutError:
        raise
    except ssl.SSLEOFError:
        return Outcome(tuple(replies), closed=True)
    except ssl.SSLError as error:
        return Outcome(tuple(replies), closed=True, alert=error.reason or "refused")
    except OSError:
        return Outcome(tuple(replies), closed=True)


def _pump(connection: socket.socket, pieces: Iterable[bytes]) -> None:
    """Send piece by piece until the bank says something; before the first it may be a ticket."""
    for number, piece in enumerate(pieces):
        if number and select.select([connection], [], [], 0)[0]:
            return
        connection.sendall(piece)


def _parse(buffer: bytes, *, bodiless: bool) -> tuple[Reply, bytes] | None:
    """Return the first whole answer and what follows it; anything but HTTP/1.1 fails the test."""
    head, end, rest = buffer.partition(b"\r\n\r\n")
    if not end:
        return None
    line, *lines = head.split(b"\r\n")
    version, status, _ = line.split(b" ", 2)
    assert version == b"HTTP/1.1", line
    pairs = [field.partition(b":")[::2] for field in lines]
    names = [name.decode("ascii").lower() for name, _ in pairs]
    assert len(set(names)) == len(names), f"a field stands twice: {names}"
    fields = dict(zip(names, (v.strip().decode("ascii") for _, v in pairs), strict=True))
    assert "transfer-encoding" not in fields
    length = 0 if bodiless else int(fields.get("content-length", "0"))
    if len(rest) < length:
        return None
    return Reply(int(status), fields, rest[:length]), rest[length:]


def _rest(buffer: bytes) -> tuple[()]:
    assert not buffer, f"not an HTTP answer: {buffer[:200]!r}"
    return ()


def client_hello(version: int, suites: Iterable[int]) -> bytes:
    """Return the first flight of a client of that version (0x0300: SSL 3) and those suites."""
    offered = b"".join(suite.to_bytes(2, "big") for suite in suites)
    extensions = b"".join(
        kind.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
        for kind, data in (
            (0x000A, bytes.fromhex("0004 0017 001d")),  # P-256, X25519
            (0x000B, bytes.fromhex("01 00")),
            (0x000D, bytes.fromhex("000c 0401 0403 0804 0501 0201 0203")),
        )
    )
    hello = b"".join(
        (
            version.to_bytes(2, "big"),
            bytes(32),
            b"\0",
            len(offered).to_bytes(2, "big"),
            offered,
            b"\1\0",
            b"" if version == 0x0300 else len(extensions).to_bytes(2, "big") + extensions,
        )
    )
    handshake = b"\1" + len(hello).to_bytes(3, "big") + hello
    record = min(version, 0x0301)
    return b"\x16" + record.to_bytes(2, "big") + len(handshake).to_bytes(2, "big") + handshake


def first_record(port: int, flight: bytes) -> bytes:
    """Send a client's first flight and return what the bank answers, until it ends or 5 bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
        raw.sendall(flight)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while len(answer) < 7 and (received := raw.recv(4096)):
                answer += received
        return answer
