"""The end of a connection without TLS: the last answer is read before the socket is gone."""

import asyncio
from typing import Any


class LingeringTransport(asyncio.Transport):
    """Says at `close` that nothing more comes, and waits for the peer to close as well.

    A socket that closes with bytes unread resets the connection, and the answer on its way is
    lost: a proxy that is still sending a body would make 503 of 400. TLS has its own farewell.
    """

    def __init__(self, inner: asyncio.Transport, *, linger: float) -> None:
        super().__init__()
        self._inner = inner
        self._linger = linger
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data`."""
        self._inner.write(data)

    def close(self) -> None:
        """Send what is left, then the end; close when the peer does, or after `linger` seconds."""
        if self.is_closing():
            return
        self._timer = asyncio.get_running_loop().call_later(self._linger, self._inner.abort)
        self._inner.write_eof()
        self._inner.resume_reading()

    def abort(self) -> None:
        """Close at once."""
        self._inner.abort()

    def is_closing(self) -> bool:
        """Tell whether the connection is closed or about to be."""
        return self._timer is not None or self._inner.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - asyncio's
        """Return what the inner transport knows."""
        return self._inner.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stop receiving; never once the end is said, for that of the peer must be heard."""
        if self._timer is None:
            self._inner.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._inner.resume_reading()
