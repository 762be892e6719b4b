"""The way to a server, which a test cuts or holds up."""

import socket
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Line:
    """A port that leads to a server, and what it lets through."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.url = f"postgresql://{parts.username}@127.0.0.1:{self.port}{parts.path}"
        self._is_cut = threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []

    def cut(self) -> None:
        """Let what is said through from now on, but no answer, until somebody connects anew."""
        self._is_cut.set()

    def freeze(self) -> None:
        """Let nothing through, and connect nobody, as if the machine were gone."""
        self._flows.clear()

    def thaw(self) -> None:
        """Let everything through again."""
        self._flows.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thaw()
        self._listening.close()
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                self._is_cut.clear()
                far = socket.create_connection(self._target)
                self._sockets += [near, far]
                for source, target in ((near, far), (far, near)):
                    said = (source, target, source is near)
                    threading.Thread(target=self._carry, args=said, daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, is_asked: bool) -> None:
        with suppress(OSError):
            for data in iter(lambda: source.recv(65_536), b""):
                self._flows.wait()
                if not is_asked and self._is_cut.is_set():
                    break  # the answer is there, and is not told
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
