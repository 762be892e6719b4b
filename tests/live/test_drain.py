"""A server that is told to stop finishes what it began (F-29)."""

import random
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live.desk import Desk
from live.party import Draft, Party, Reply, read_reply
from live.writer import Writer, at_work, check_nothing_invented, check_nothing_lost, wait_for

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def bank(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A bank of one's own, to be stopped."""
    running = desk.beside(tmp_path / "bank")
    with running:
        yield running


@pytest.fixture
def party(bank: Desk, desk: Desk, party_of: Callable[..., Party]) -> Party:
    """A TPP of that bank."""
    acme = party_of(desk)
    acme.port = bank.port
    return acme


def begin(party: Party, draft: Draft) -> ssl.SSLSocket:
    """Send a request without its body, and wait until the bank asks for it."""
    connection = party.connect()
    draft.set("Expect", "100-continue")
    connection.sendall(draft.to_bytes().removesuffix(draft.body))
    assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    return connection


def health(party: Party) -> Reply:
    return party.exchange(HEALTH)


def until_draining(party: Party) -> Reply:
    """Ask for health until it is refused."""
    while True:
        reply = health(party)
        if reply.status != 200:
            return reply


def test_what_is_in_progress_is_finished_and_the_rest_turned_away(bank: Desk, party: Party) -> None:
    draft = party.post()
    idle = party.connect()
    idle.sendall(HEALTH)
    assert read_reply(idle).status == 200
    with begin(party, draft) as unfinished, idle:
        bank.process.send_signal(signal.SIGTERM)
        refused = until_draining(party)
        assert (refused.status, refused.code) == (503, "draining")
        assert int(refused.fields["retry-after"]) >= 1

        idle.sendall(HEALTH)
        turned_away = read_reply(idle)
        assert (turned_away.status, turned_away.code) == (503, "draining")
        assert turned_away.fields["connection"] == "close"

        unfinished.sendall(draft.body)
        reply = read_reply(unfinished)
        assert reply.status == 201
        assert reply.fields["connection"] == "close"
    assert bank.ended() == 0
    assert bank.rows("SELECT client_id FROM clients") == [(reply.json["client_id"],)]


def test_a_second_signal_does_not_wait(bank: Desk, party: Party) -> None:
    with begin(party, party.post()):
        bank.process.send_signal(signal.SIGTERM)
        until_draining(party)
        bank.process.send_signal(signal.SIGTERM)
        assert bank.ended() == 1
    assert bank.count_clients() == 0


def test_stopping_under_load_loses_nothing(bank: Desk, party_of: Callable[..., Party]) -> None:
    writers = [Writer(party_of(bank), random.Random(n)) for n in range(4)]
    enough = threading.Semaphore(0)
    threads = at_work(writers, enough)
    for _ in range(20):
        assert enough.acquire(timeout=30)
    assert bank.stop() == 0
    wait_for(threads)
    turned_away = [writer.surprise for writer in writers if writer.surprise is not None]
    assert all((reply.status, reply.code) == (503, "draining") for reply in turned_away)
    bank.start()
    for writer in writers:
        writer.surprise = None
    check_nothing_lost(bank, writers)
    check_nothing_invented(bank, writers)
