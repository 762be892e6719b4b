"""A web site of an issuer that fails its duty: over plain HTTP on loopback, path by path."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator

Answer = Callable[[bytes], Iterable[bytes]]
"""Makes the octets of one whole HTTP answer of the body of a request, piece by piece."""

HOST, DEAD_HOST, NO_HOST = "ocsp.test", "refused.test", "nowhere.invalid"
_PATIENCE = 10.0


class IssuerSite:
    """`answers` by path; everything else is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self._listening = socket.create_server(("127.0.0.1", 0))
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._dead_port = probe.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        """What a bank has set that asks here, and the sandbox's own site for its certificates."""
        places = {
            "qtsp.example": 0,
            HOST: self._listening.getsockname()[1],
            DEAD_HOST: self._dead_port,
        }
        hosts = ", ".join(f'"{host}" = "127.0.0.1:{port}"' for host, port in places.items())
        return {"trust.revocation_lists": "", "revocation.hosts": f"{{{hosts}}}"}

    def close(self) -> None:
        """Take no more visits."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        raw.settimeout(_PATIENCE)
        with contextlib.suppress(OSError), raw:
            head, _, body = self._read(raw).partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode("latin-1") if b" " in head else "?"
            for piece in self.answers.get(path, not_found)(body):
                raw.sendall(piece)

    def _read(self, raw: socket.socket) -> bytes:
        """Read a request, whose body is no longer than its Content-Length says."""
        request = b""
        while b"\r\n\r\n" not in request and (received := raw.recv(4096)):
            request += received
        head, _, body = request.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
        while len(body) < length and (received := raw.recv(4096)):
            request, body = request + received, body + received
        return request


def says(body: bytes) -> Answer:
    """Return an answer that is always the same."""
    return lambda _: [_head(len(body)) + body]


def not_found(_: bytes) -> list[bytes]:
    """Answer that there is nothing."""
    return [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]


def never(_: bytes) -> Iterator[bytes]:
    """Answer nothing until the other end is gone."""
    time.sleep(_PATIENCE)
    yield b""


def endless(total: int) -> Answer:
    """Return an answer of so many octets."""

    def make(_: bytes) -> Iterator[bytes]:
        yield _head(total)
        for _piece in range(total // 65_536):
            yield bytes(65_536)

    return make


def dripping(body: bytes) -> Answer:
    """Return an answer that comes an octet a second."""

    def make(_: bytes) -> Iterator[bytes]:
        yield _head(len(body))
        for octet in body:
            time.sleep(1)
            yield bytes([octet])

    return make


def _head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length
