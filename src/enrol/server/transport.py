"""The way out of a connection: an answer leaves in one piece."""

import asyncio
from typing import Any

_STATUS = b"HTTP/1.1 "


class AnswerTransport(asyncio.Transport):
    """Keeps the head of an answer until its body follows.

    uvicorn writes them apart. Joined they make one TLS record instead of two, which saves more
    than the checks of `TlsProtocol` cost.
    """

    def __init__(self, inner: asyncio.Transport) -> None:
        super().__init__()
        self._inner = inner
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`, or keep it when it is a head; an interim one (1xx) stands alone."""
        if self._head:
            data, self._head = self._head + data, b""
        elif data[:9] == _STATUS and data[9:10] != b"1":
            self._head = bytes(data)
            return
        self._inner.write(data)

    def flush(self) -> None:
        """Send a head that no body follows."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        """Close once everything is sent."""
        self.flush()
        self._inner.close()

    def abort(self) -> None:
        """Close at once."""
        self._inner.abort()

    def is_closing(self) -> bool:
        """Tell whether the connection is closed or about to be."""
        return self._inner.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's
        """Return what the inner transport knows."""
        return self._inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stop receiving."""
        self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._inner.resume_reading()
