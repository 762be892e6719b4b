"""Two banks with one register in PostgreSQL, behind nginx."""

import random
import threading
from collections.abc import Iterator

import pytest

from cluster import Cluster, Database
from enrol.adapters.location import PostgresUrl
from enrol.adapters.trail import open_trail
from enrol.registration.rejudge import EvidenceJudge
from enrol.registration.review import review_trail
from live.desk import Desk
from live.party import Party, Reply, issue
from live.shared_register import node
from live.writer import Writer, at_work, check_nothing_lost, wait_for
from ports import free_port
from proxies.conftest import ACME, ROLES, Place
from proxies.front import Front, command_of

pytestmark = pytest.mark.live

_ENOUGH = Reply(0, {}, b"")


@pytest.fixture(scope="module")
def register(cluster: Cluster) -> Database:
    return cluster.create_register()


@pytest.fixture(scope="module")
def places(
    template: Desk, register: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Place, Place]]:
    """Each bank, and the proxy before both."""
    if command_of("nginx") is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nodes")
    banks = [node(template, folder / name, register) for name in ("one", "two")]
    front = Front("nginx", folder / "front", banks[0].folder, other_ports=(free_port(),))
    ports = (front.hop_port, *front.other_ports)
    for bank, port in zip(banks, ports, strict=True):
        bank.settings |= front.settings
        bank.port = port
    with banks[0], banks[1], front:
        yield Place(front, banks[0]), Place(front, banks[1])


@pytest.fixture
def through(places: tuple[Place, Place]) -> Iterator[Party]:
    """Acme, through the proxy."""
    place = places[0]
    party = place.party(issue(place.desk.pki, "qwac", ACME, roles=ROLES))
    yield party
    party.close()


def served(place: Place) -> int:
    """Return how many registrations a bank answered."""
    return sum('"method":"POST","status":201' in line for line in place.desk.log_lines)


def test_both_nodes_serve_and_each_knows_what_the_other_did(
    places: tuple[Place, Place], through: Party
) -> None:
    before = [served(place) for place in places]
    made = [through.register() for _ in range(6)]
    assert {reply.status for reply in made} == {201}
    assert all(served(place) > count for place, count in zip(places, before, strict=True))
    for reply in made:
        read = [through.get(reply.json["client_id"]) for _ in places]
        assert [(each.status, each.json) for each in read] == [(200, reply.json)] * 2


def test_the_same_bytes_make_one_client_whichever_node_they_reach(
    places: tuple[Place, Place], register: Database, through: Party
) -> None:
    (before,) = register.rows("SELECT count(*) FROM clients")
    draft = through.post()
    replies = [through.send(draft) for _ in range(4)]
    assert [reply.status for reply in replies] == [201] * 4
    assert len({reply.json["client_id"] for reply in replies}) == 1
    (after,) = register.rows("SELECT count(*) FROM clients")
    assert after[0] == before[0] + 1


def test_a_deleted_client_is_gone_from_both_at_once(
    places: tuple[Place, Place], through: Party
) -> None:
    client_id = through.register().json["client_id"]
    assert through.delete(client_id).status == 204
    assert {through.get(client_id).status for _ in range(4)} <= {401, 403}


def writers_of(places: tuple[Place, Place], through: Party, count: int) -> list[Writer]:
    qwac = issue(places[0].desk.pki, "qwac", ACME, roles=ROLES)
    writers = [Writer(places[0].party(qwac), random.Random(number)) for number in range(count)]
    for writer in writers:
        writer.party.use_token(through.token)
    return writers


def test_a_node_that_is_killed_costs_nothing_that_was_acknowledged(
    places: tuple[Place, Place], register: Database, through: Party
) -> None:
    """The other one goes on; what it was asked last is answered by it."""
    writers = writers_of(places, through, 3)
    begun = threading.Semaphore(0)
    threads = at_work(writers, begun)
    for round_ in range(4):
        place = places[round_ % 2]
        for _ in range(15):
            assert begun.acquire(timeout=15)
        place.desk.kill()
        for _ in range(15):
            assert begun.acquire(timeout=15), [writer.surprise for writer in writers]
        place.desk.start()
        while begun.acquire(blocking=False):
            pass  # what was begun before both were there again
    surprises = [writer.surprise for writer in writers]
    for writer in writers:
        writer.surprise = writer.surprise or _ENOUGH
    wait_for(threads)
    assert surprises == [None] * len(writers)
    for writer in writers:
        writer.surprise = None
    check_nothing_lost(places[0].desk, writers)
    for writer in writers:
        writer.party.close()
    with open_trail(PostgresUrl(register.server_url)) as trail:
        assert review_trail(trail, EvidenceJudge(trail)).wrong == 0
