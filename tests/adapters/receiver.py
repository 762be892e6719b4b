"""A receiver of webhooks on a socket: keeps what it gets, answers what it is told to."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Received:
    fields: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answer` is sent as it is, None keeps silent; with `hangs_up` the connection ends then."""

    answer: bytes | None = OK
    hangs_up: bool = False
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    received: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> Self:
        self._writers: list[asyncio.StreamWriter] = []
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hook"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").splitlines()
                pairs = (line.partition(": ") for line in head[1:] if line)
                fields = {name.lower(): value for name, _, value in pairs}
                body = await reader.readexactly(int(fields["content-length"]))
                self.requests.append(Received(fields, body))
                self.received.set()
                if self.answer is not None:
                    writer.write(self.answer)
                if self.hangs_up:
                    writer.close()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
