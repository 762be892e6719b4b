"""A Redis of the tests' own, on a free port of the loopback."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "correct horse battery staple 4711"


@dataclass(slots=True)
class RedisHost:
    """A server that can be stopped, held, and started again at its port."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        return f"unix://{self.folder}/redis.sock"

    def start(self, *options: str) -> None:
        """Start with nothing in it, and return when it answers."""
        program = shutil.which("redis-server", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None
        said = self.folder / "log"
        place = ("--dir", str(self.folder), "--unixsocket", f"{self.folder}/redis.sock")
        listen = ("--bind", "127.0.0.1", "--port", str(self.port))
        with said.open("wb") as log:
            self.process = subprocess.Popen(
                [program, *listen, *place, "--save", "", *options], stdout=log
            )
        while self.ask("PING") not in (b"+PONG\r\n", b"-NOAUTH Authentication required.\r\n"):
            assert self.process.poll() is None, said.read_text()

    def ask(self, *words: str) -> bytes:
        """Return what it says to one command, nothing where nobody is there."""
        text = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(text.encode())
                return connection.recv(65536)
        except ConnectionError:
            return b""

    def hold(self) -> None:
        """Let it take connections and say nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def release(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextmanager
def running_redis(*options: str) -> Iterator[RedisHost]:
    """Run a server; skips the test where Redis is not installed."""
    if shutil.which("redis-server", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="enrol-redis-"))
    host = RedisHost(folder, port)
    try:
        host.start(*options)
        yield host
    finally:
        host.stop()
        shutil.rmtree(folder, ignore_errors=True)
