"""A bank that stops and comes back behind a proxy that goes on."""

import random
import threading
import time
from collections.abc import Callable

import pytest

from live.party import Draft, Party, Reply, issue
from live.writer import Writer, at_work, check_nothing_lost, wait_for
from proxies.conftest import ACME, ROLES, Place

pytestmark = pytest.mark.live

HEALTH = Draft("GET", "/health", [("Host", "localhost")])
PATIENCE = 15.0


def restart(place: Place) -> None:
    """Start the bank where it was; TPPs go on connecting to the proxy."""
    port, place.desk.port = place.desk.port, place.front.hop_port
    place.desk.start()
    place.desk.port = port


def eventually(ask: Callable[[], Reply], status: int) -> Reply:
    """Ask until the answer has this status."""
    end = time.monotonic() + PATIENCE
    while (reply := ask()).status != status:
        assert time.monotonic() < end, reply
        time.sleep(0.05)
    return reply


def test_a_bank_that_is_gone_is_503_until_it_is_back(place: Place, acme: Party) -> None:
    assert acme.send(HEALTH).status == 200
    assert place.desk.stop() == 0
    try:
        reply = acme.send(HEALTH)
        assert (reply.status, reply.json["error"]) == (503, "temporarily_unavailable")
        assert reply.fields["cache-control"] == "no-store"
        assert int(reply.fields["retry-after"]) >= 1
    finally:
        restart(place)
    eventually(lambda: acme.send(HEALTH), 200)
    assert acme.register().status == 201


def test_every_request_has_an_answer_while_a_bank_drains(place: Place, acme: Party) -> None:
    """Every change is acknowledged, or answered 503 and carried out when it is asked for again."""
    qwac = issue(place.desk.pki, "qwac", ACME, roles=ROLES)
    writers = [Writer(place.party(qwac), random.Random(number)) for number in range(3)]
    for writer in writers:
        writer.party.use_token(acme.token)
    begun = threading.Semaphore(0)
    threads = at_work(writers, begun)
    for _ in range(30):
        assert begun.acquire(timeout=PATIENCE)
    try:
        assert place.desk.stop() == 0
        wait_for(threads)
    finally:
        restart(place)
    for writer in writers:
        assert writer.surprise is not None, "a connection broke"
        assert writer.surprise.status == 503
        writer.surprise = None
    eventually(lambda: acme.send(HEALTH), 200)
    check_nothing_lost(place.desk, writers)
    for writer in writers:
        writer.party.close()
