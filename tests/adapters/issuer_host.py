"""A QTSP's web server on the loopback, over plain HTTP: a responder and its lists."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Page = Callable[[bytes], bytes | Awaitable[bytes]]
"""Makes a whole HTTP answer of the body of a request."""


@dataclass
class IssuerHost:
    """`pages` by path; `asked` is what came, method and path, `bodies` with what."""

    address: tuple[str, int] = ("127.0.0.1", 0)
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        body = await reader.readexactly(int(length or 0))
        method, path, _ = head.split(b" ", 2)
        self.asked.append(f"{method.decode()} {path.decode()}")
        self.heads.append(head)
        self.bodies.append(body)
        answer = self.pages.get(path.decode(), lambda _: page(b"", b"404 Not Found"))(body)
        writer.write(answer if isinstance(answer, bytes) else await answer)
        await writer.drain()


def page(body: bytes, status: bytes = b"200 OK", *fields: bytes) -> bytes:
    """Return a whole HTTP answer."""
    head = (b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *fields, b"", b"")
    return b"\r\n".join(head) + body


def says(body: bytes) -> Page:
    """Return a page that always says the same."""
    return lambda _: page(body)


async def never() -> bytes:
    """Answer when the world has ended."""
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def issuer_host() -> AsyncIterator[IssuerHost]:
    """Listen."""
    host = IssuerHost()
    talks: set[asyncio.Task] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await host.talk(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    host.address = server.sockets[0].getsockname()
    try:
        yield host
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()
