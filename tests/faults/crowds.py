"""More connections than are good: those that say little (F-24), and thousands of them (F-25)."""

import contextlib
import resource
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from attacks.wire import client_context, dial
from faults.fault import Fault
from faults.ground import ORGANIZATIONS, Ground, wait_until
from faults.judging import no_500, register_findings
from faults.load import Load, Visitor, statuses
from faults.memory import forget_peak, open_files, resident_megabytes
from faults.result import Finding, at_least, at_most, none_of
from live.desk import Desk
from live.party import Draft, Party

OF_EACH_KIND = 200
SLOWEST = 1.0
ALL_GONE = 30.0
CAP = 1000
MEBIBYTES = CAP * 300 / 1024 + 200
RECOVERY = 5.0
STORM = 400
_HANDSHAKES_AT_ONCE = 8
_FILES = 16_384


def slow_clients(ground: Ground) -> tuple[Finding, ...]:
    """Hold connections that say nothing, or an octet a second, beside two TPPs at work."""
    with ground.running() as bank, _room_for_files(), ExitStack() as opened:
        load = ground.load(bank, workers=1)
        visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
        party = ground.party(bank, ORGANIZATIONS[2])
        kinds = _kinds(bank, party)
        before = open_files(bank.process.pid)
        with load.at_work(), visitor.visiting():
            crowd = [
                (opened.enter_context(connect()), rest)
                for connect, rest in kinds
                for _ in range(OF_EACH_KIND)
            ]
            most = open_files(bank.process.pid) - before
            gone = _drip(bank, crowd, before)
        refused = [f"{a.status} {a.code}" for a in load.answers if a.status not in (200, 201, 204)]
        slowest = max(answer.seconds for answer in load.answers)
        return (
            at_least("slow connections held at once", OF_EACH_KIND, most),
            at_most("until the server has ended all of them", ALL_GONE, gone, "s"),
            at_most("p99 of another TPP's reads meanwhile (I6)", SLOWEST, visitor.p99, "s"),
            at_most("slowest change of another TPP meanwhile", SLOWEST, slowest, "s"),
            none_of("changes refused meanwhile", refused, f" of {len(load.answers):,}"),
            *register_findings(bank, load, visitor),
            no_500(load),
        )


def _kinds(bank: Desk, party: Party) -> list[tuple[Callable[[], socket.socket], bytes]]:
    """Return ways to connect, each with what is then said octet by octet."""
    context = client_context(party.qwac)
    head, _, body = party.post().to_bytes().partition(b"\r\n\r\n")
    address = ("127.0.0.1", bank.port)

    def plain() -> socket.socket:
        return socket.create_connection(address, timeout=20)

    def spoken(first: bytes) -> Callable[[], socket.socket]:
        def connect() -> socket.socket:
            connection = dial(bank.port, None, context=context)
            connection.sendall(first)
            return connection

        return connect

    return [
        (plain, b""),
        (plain, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200)),
        (spoken(b"P"), head[1:]),
        (spoken(head + b"\r\n\r\n" + body[:1]), body[1:]),
    ]


def _drip(bank: Desk, crowd: list[tuple[socket.socket, bytes]], before: int) -> float:
    """Say an octet a second on each connection; return when the server has ended them."""
    began, turn = time.monotonic(), 0
    while open_files(bank.process.pid) > before + 5:
        if time.monotonic() - began > ALL_GONE:
            return float("inf")
        for connection, rest in crowd:
            with contextlib.suppress(OSError):
                connection.sendall(rest[turn : turn + 1])
        turn += 1
        time.sleep(1)
    return time.monotonic() - began


@contextlib.contextmanager
def _room_for_files() -> Iterator[None]:
    """Have room for many connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def many_connections(ground: Ground, number: int) -> tuple[Finding, ...]:
    """Open thousands of connections with certificates, then close them and come back at once."""
    with ground.running(limits__connections=CAP) as bank, _room_for_files():
        load = Load([])
        visitor = Visitor.registered(ground.party(bank, ORGANIZATIONS[-1]))
        context = client_context(ground.party(bank, ORGANIZATIONS[2]).qwac)
        pid = bank.process.pid
        before = open_files(pid)
        forget_peak(pid)
        most = 0
        with ExitStack() as opened, visitor.visiting():
            with ThreadPoolExecutor(_HANDSHAKES_AT_ONCE) as pool:
                coming = [pool.submit(_enter, bank, context) for _ in range(number)]
                while not all(each.done() for each in coming):
                    most = max(most, open_files(pid) - before)
                    time.sleep(0.1)
            inside = [c for c in (each.result() for each in coming) if c is not None]
            for connection in inside:
                opened.enter_context(connection)
            peak = resident_megabytes(pid, peak=True)
        closed_at = time.monotonic()
        newcomer = ground.party(bank, ORGANIZATIONS[3])
        back = wait_until(lambda: _enters(newcomer), RECOVERY)
        with ThreadPoolExecutor(_HANDSHAKES_AT_ONCE) as pool:
            storm = list(pool.map(lambda _: _enter(bank, context), range(STORM)))
        for connection in storm:
            if connection is not None:
                connection.close()
        ground.say(
            f"{number}: {len(inside)} inside, {statuses(visitor.answers)}, "
            f"{time.monotonic() - closed_at:.1f} s"
        )
        return (
            at_least("connections tried", number, len(coming)),
            at_most("most that the server held at once", CAP + 16, most),
            at_most("peak of its memory", MEBIBYTES, peak, "MiB"),
            at_least("share of another TPP's reads answered 200", 0.99, visitor.share_ok),
            at_most(
                "until a newcomer is served after the crowd has left",
                RECOVERY,
                float("inf") if back is None else back,
                "s",
            ),
            at_least(
                "share of 400 who came back at once that were let in",
                0.99,
                sum(c is not None for c in storm) / STORM,
            ),
            *register_findings(bank, load, visitor),
        )


def _enter(bank: Desk, context: ssl.SSLContext) -> ssl.SSLSocket | None:
    """Connect and ask for health; None where one is not let in."""
    try:
        connection = dial(bank.port, None, context=context)
        connection.sendall(Draft("GET", "/health", [("Host", "localhost")]).to_bytes())
        if connection.recv(1024):
            return connection
        connection.close()
    except OSError:
        pass
    return None


def _enters(party: Party) -> bool:
    with contextlib.suppress(OSError):
        return party.send_once(party.token_draft()).status == 200
    return False


def _fault_of(number: int) -> Fault:
    return Fault(
        "F-25",
        f"{number:,} connections with client certificates, of which {CAP:,} are allowed",
        lambda ground: many_connections(ground, number),
    )


FAULTS = (
    Fault(
        "F-24",
        "800 connections that say nothing, or a handshake, a head or a body octet by octet",
        slow_clients,
    ),
    *map(_fault_of, (1000, 2000, 5000)),
)
