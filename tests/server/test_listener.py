"""How the listener starts, how many it takes, and how it stops."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path
from socket import create_connection, create_server

import pytest

from enrol.errors import ConfigurationError
from enrol.server.answer import CLOSE
from enrol.server.listener_settings import ListenerSettings
from listening import (
    PATIENCE,
    Pki,
    Running,
    answer,
    client_context,
    handshake,
    lifespan,
    running,
)

TESTS = Path(__file__).parents[1]


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bank.test\r\n\r\n".encode()


class Desk:
    """Answers ``/slow`` when told to, and 503 while draining."""

    def __init__(self):
        self.drain = None
        self.entered, self.release = threading.Event(), threading.Event()

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await lifespan(receive, send)
        elif self.drain is not None and self.drain.draining:
            await answer(send, b"draining", status=503, fields=CLOSE)
        elif scope["path"] == "/slow":
            self.entered.set()
            await asyncio.to_thread(self.release.wait, PATIENCE)
            await answer(send, b"slow")
        elif scope["path"] == "/never":
            self.entered.set()
            await asyncio.get_running_loop().create_future()
        else:
            await answer(send)


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def desk():
    return Desk()


def test_ready_is_told_with_the_port_taken(desk, pki):
    with running(desk, pki) as server:
        host, port = server.address
        assert host == "127.0.0.1"
        assert port > 0


def test_address_in_use_is_a_configuration_error(desk, pki):
    with create_server(("127.0.0.1", 0)) as other:
        settings = ListenerSettings(port=other.getsockname()[1])
        server = Running(desk, pki, settings, pki.settings())
        with pytest.raises(ConfigurationError, match="Address already in use"):
            server.listener.run()


def test_connections_over_the_limit_are_closed_at_once(desk, pki):
    with running(desk, pki, connections=2) as server:
        clients = [server.connect(), server.connect()]
        with pytest.raises(OSError):  # noqa: PT011 - an end of file or a reset
            server.connect()
        for client in clients:
            client.send(get("/"))
            assert client.answer()[0] == 200


def test_closed_connections_and_failed_handshakes_make_room(desk, pki):
    with running(desk, pki, connections=1) as server:
        with create_connection(server.address, timeout=PATIENCE) as plain:
            plain.sendall(b"not TLS")
        for _ in range(2):
            client = connect_when_there_is_room(server)
            client.send(get("/"))
            assert client.answer()[0] == 200
            client.sock.close()


def connect_when_there_is_room(server):
    for _ in range(10_000):
        with contextlib.suppress(OSError):
            return server.connect()
    pytest.fail("no room was made")


def test_request_in_progress_is_finished_and_others_are_told_to_go(desk, pki):
    with running(desk, pki) as server:
        desk.drain = server.drain
        busy, idle = server.connect(), server.connect()
        busy.send(get("/slow"))
        idle.send(get("/"))
        assert idle.answer()[0] == 200
        assert desk.entered.wait(PATIENCE)

        server.listener.stop()

        for client in (idle, server.connect()):
            client.send(get("/"))
            status, fields, _ = client.answer()
            assert (status, fields[b"connection"]) == (503, b"close")
        desk.release.set()
        status, fields, body = busy.answer()
        assert (status, fields[b"connection"], body) == (200, b"close", b"slow")
        server.thread.join(PATIENCE)
        assert not server.thread.is_alive()


def test_idle_connections_do_not_hold_up_the_end(desk, pki):
    with running(desk, pki, idle=PATIENCE * 9) as server:
        idle = server.connect()
        idle.send(get("/"))
        idle.answer()
        server.listener.stop()
        assert idle.rest() == b""


def test_drain_ends_when_its_time_is_up(desk, pki):
    with running(desk, pki, drain=0.1) as server:
        client = server.connect()
        client.send(get("/never"))
        assert desk.entered.wait(PATIENCE)
        server.listener.stop()
        assert client.rest() == b""


def retire(server: Running) -> None:
    """Have another take over from a server."""
    server.loop.call_soon_threadsafe(server.listener.retire)


def test_who_has_a_connection_may_ask_once_more_when_another_takes_over(desk, pki):
    with running(desk, pki, farewell=PATIENCE) as server:
        desk.drain = server.drain
        busy, idle = server.connect(), server.connect()
        busy.send(get("/slow"))
        idle.send(get("/"))
        assert idle.answer()[0] == 200
        assert desk.entered.wait(PATIENCE)
        retire(server)
        while not server.drain.leaving:
            pass
        idle.send(get("/"))
        status, fields, _ = idle.answer()
        assert (status, fields[b"connection"]) == (200, b"close")
        with pytest.raises(OSError):  # noqa: PT011 - refused, where no other process listens
            server.connect()
        desk.release.set()
        status, fields, body = busy.answer()
        assert (status, fields[b"connection"], body) == (200, b"close", b"slow")
        server.thread.join(PATIENCE)
        assert not server.thread.is_alive()


def test_who_has_just_connected_is_answered_when_another_takes_over(desk, pki):
    with running(desk, pki) as server:
        desk.drain = server.drain
        newcomer = server.connect()
        retire(server)
        newcomer.send(get("/"))
        status, fields, _ = newcomer.answer()
        assert (status, fields[b"connection"]) == (200, b"close")


PROGRAM = """
import asyncio, sys
from datetime import datetime, timezone
from pathlib import Path
from listening import answer, lifespan
from enrol.server.drain import Drain
from enrol.server.listener import ListenerSettings, run_listener
from enrol.server.tls import TlsSettings

folder = Path(sys.argv[1])
drain = Drain()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        print("stopped", flush=True)
        return
    print("entered", flush=True)
    while not drain.draining:
        await asyncio.sleep(0.01)
    print("draining", flush=True)
    while scope["path"] == "/stubborn":
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass
    await answer(send)

sys.exit(run_listener(
    app,
    ListenerSettings(port=0),
    tls=TlsSettings(
        folder / "server.pem", folder / "server.key", ((folder / "ca.pem").read_bytes(),)
    ),
    drain=drain,
    clock=lambda: datetime.now(timezone.utc),
    error_base="https://bank.test/errors/",
    on_ready=lambda host, port: print(host, port, flush=True),
))
"""


class Process:
    """The listener as the main program of a process, with one request that has arrived."""

    def __init__(self, pki, path, stack):
        pki.settings()
        (pki.folder / "ca.pem").write_bytes(pki.issuing.pem)
        self.popen = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(pki.folder)],
                cwd=TESTS,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(self.popen.kill)
        host, port = self.line().split()
        self.client = handshake((host, int(port)), client_context(pki, None))
        stack.callback(self.client.sock.close)
        self.client.send(get(path))
        assert self.line() == "entered"

    def line(self) -> str:
        return self.popen.stdout.readline().strip()

    def end(self) -> tuple[int, str, str]:
        """Return exit code and the rest of output and errors."""
        output, errors = self.popen.communicate(timeout=PATIENCE)
        return self.popen.returncode, output, errors


@pytest.fixture
def start(pki):
    with contextlib.ExitStack() as stack:
        yield lambda path: Process(pki, path, stack)


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signal_finishes_the_request_and_exits_with_0(start, sig):
    process = start("/")
    process.popen.send_signal(sig)
    assert process.line() == "draining"
    assert process.client.answer()[0] == 200
    assert process.end() == (0, "stopped\n", "")


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_exits_with_1_whatever_hangs(start, sig):
    process = start("/stubborn")
    process.popen.send_signal(sig)
    assert process.line() == "draining"
    process.popen.send_signal(sig)
    assert process.end()[0] == 1
