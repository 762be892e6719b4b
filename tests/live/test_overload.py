"""More than a bank can do at once: the rest is put off at once, and afterwards all is as before."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from live.crowd import crowded
from live.desk import Desk
from live.party import Party, Reply, read_reply

IN_FLIGHT = 4
CROWD = 60


@pytest.fixture(scope="module")
def narrow(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that does little at once."""
    folder = tmp_path_factory.mktemp("narrow") / "bank"
    with desk.beside(folder, limits__in_flight=IN_FLIGHT) as bank:
        yield bank


@pytest.fixture
def party(narrow: Desk, party_of: Callable[..., Party]) -> Iterator[Party]:
    """A TPP of that bank."""
    made = party_of(narrow)
    yield made
    made.close()


def is_put_off(reply: Reply) -> bool:
    """Say whether a request is to be repeated, as it was."""
    if (reply.status, reply.code) != (503, "overloaded"):
        return False
    return int(reply.fields["retry-after"]) >= 1


def test_a_crowd_is_put_off_while_there_is_no_room_and_served_when_there_is(
    narrow: Desk, party: Party
) -> None:
    drafts = [party.post() for _ in range(CROWD)]
    with crowded(narrow, party, IN_FLIGHT) as waiting:
        replies = [party.send(draft) for draft in drafts]
        assert all(map(is_put_off, replies))
        assert "connection" not in replies[-1].fields  # the handshake need not be done again
    assert [each.result().status for each in waiting] == [201] * IN_FLIGHT
    assert [party.send(draft).status for draft in drafts] == [201] * CROWD
    assert narrow.count_clients() == CROWD + IN_FLIGHT


def test_those_who_send_slowly_take_nobody_the_room(narrow: Desk, party: Party) -> None:
    count = narrow.count_clients()
    with ExitStack() as opened:
        halves = []
        for _ in range(2 * IN_FLIGHT):
            request = party.post().set("Expect", "100-continue")
            connection = opened.enter_context(party.connect())
            connection.sendall(request.to_bytes().removesuffix(request.body))
            assert connection.recv(4096).startswith(b"HTTP/1.1 100")
            halves.append((connection, request.body))
        assert party.register().status == 201
        for connection, body in halves:
            connection.sendall(body)
            assert read_reply(connection).status == 201
    assert narrow.count_clients() == count + 2 * IN_FLIGHT + 1


def test_a_storm_loses_nothing_and_passes(
    narrow: Desk, party: Party, party_of: Callable[..., Party]
) -> None:
    count = narrow.count_clients()
    drafts = [party.post() for _ in range(CROWD)]
    barrier = threading.Barrier(CROWD)

    def send(data: bytes) -> list[Reply]:
        """Send until it is taken, as a client does that is told to come again."""
        with party.connect() as connection:
            barrier.wait(timeout=60)
            replies = []
            while not replies or replies[-1].status != 201:
                connection.sendall(data)
                replies.append(read_reply(connection))
            return replies

    with ThreadPoolExecutor(CROWD) as pool:
        heard = list(pool.map(send, [draft.to_bytes() for draft in drafts]))
    assert all(is_put_off(reply) for replies in heard for reply in replies[:-1])
    made = {replies[-1].json["client_id"] for replies in heard}
    assert len(made) == CROWD == narrow.count_clients() - count
    assert party_of(narrow).register().status == 201
    assert narrow.process.poll() is None


def test_the_log_says_what_was_put_off(narrow: Desk) -> None:
    lines = [line for line in narrow.log_lines if '"code":"overloaded"' in line]
    assert len(lines) >= CROWD
    assert not [line for line in narrow.log_lines if '"event":"defect"' in line]
