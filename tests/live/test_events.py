"""The bank's receiver is told of what happens to clients: signed, in order, and not only once."""

import json
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.hook import Hook, write_secret
from live.party import Party, Reply
from live.writer import Writer, at_work, check_nothing_lost, wait_for

PartyOf = Callable[..., Party]


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as receiver:
        yield receiver


@pytest.fixture
def bank(desk: Desk, hook: Hook, tmp_path: Path) -> Iterator[Desk]:
    """A bank that tells the receiver."""
    secret = write_secret(tmp_path / "webhook.secret")
    told = desk.beside(tmp_path / "bank", webhooks__url=hook.url, webhooks__secrets=secret)
    with told as running:
        yield running


@pytest.fixture
def party(bank: Desk, party_of: PartyOf) -> Party:
    return party_of(bank)


def command(bank: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    config = ("--config", str(bank.folder / "enrol.toml"))
    words = (sys.executable, "-m", "enrol", "webhooks", words[0], *config, *words[1:])
    return subprocess.run(words, capture_output=True, text=True, check=False)


def listed(bank: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in command(bank, "list", "--json").stdout.splitlines()]


def register(party: Party, name: str = "Acme Co.") -> Reply:
    return party.register(party.metadata(client_name=name))


def test_the_life_of_a_client_is_told_in_order(bank: Desk, hook: Hook, party: Party) -> None:
    answer = register(party)
    client_id = answer.json["client_id"]
    party.put(client_id, party.metadata(client_id=client_id, client_name="New Co."))
    assert party.delete(client_id).status == 204
    hook.wait_for(lambda: len(hook.types(client_id)) == 3)
    assert hook.types(client_id) == ["client.registered", "client.updated", "client.deleted"]
    registered, updated, deleted = (event["data"] for event in hook.events)
    assert registered["metadata"]["redirect_uris"] == ["https://tpp.test/cb"]
    assert registered["metadata"]["scope"] == "aisp pisp"
    assert registered["client_id_issued_at"] == answer.json["client_id_issued_at"]
    assert (updated["version"], updated["metadata"]["client_name"]) == (2, "New Co.")
    assert (deleted["state"], "metadata" in deleted) == ("deleted", False)
    text = json.dumps(hook.events)
    assert answer.json["registration_access_token"] not in text
    assert party.token not in text


def test_nobody_is_told_what_is_refused_or_repeated(bank: Desk, hook: Hook, party: Party) -> None:
    draft = party.post()
    client_id = party.send(draft).json["client_id"]
    assert party.send(draft).json["client_id"] == client_id
    assert party.register(party.metadata(redirect_uris=["http://tpp.test/"])).status == 400
    other = register(party, "Other").json["client_id"]
    hook.wait_for(lambda: bool(hook.types(other)))
    assert len(hook.events) == 2


def test_a_receiver_that_was_away_is_told_everything_in_order(
    bank: Desk, hook: Hook, party: Party
) -> None:
    hook.close()
    client_id = register(party).json["client_id"]
    party.put(client_id, party.metadata(client_id=client_id))
    other = register(party, "Other").json["client_id"]
    assert {message["state"] for message in listed(bank)} <= {"due", "failing", "behind"}
    hook.open()
    hook.wait_for(lambda: len(hook.events) == 3)
    assert hook.types(client_id) == ["client.registered", "client.updated"]
    assert hook.types(other) == ["client.registered"]


def test_what_nobody_was_told_is_told_by_the_next_server(
    bank: Desk, hook: Hook, party: Party
) -> None:
    hook.close()
    client_id = register(party).json["client_id"]
    bank.kill()
    hook.open()
    bank.start()
    hook.wait_for(lambda: hook.types(client_id) == ["client.registered"])


def test_operators_see_what_is_not_taken_and_decide(bank: Desk, hook: Hook, party: Party) -> None:
    hook.status = 500
    client_id = register(party).json["client_id"]
    party.put(client_id, party.metadata(client_id=client_id))
    hook.wait_for(lambda: bool(listed(bank)) and listed(bank)[0]["state"] == "failing")
    first, second = listed(bank)
    assert (first["failure"], second["state"]) == ("status 500", "behind")
    assert "2 messages of 1 clients" in command(bank, "status").stdout
    waits = command(bank, "retry", str(second["id"]))
    assert (waits.returncode, "behind another one" in waits.stderr) == (1, True)
    assert command(bank, "drop", "999", "--reason", "x").returncode == 1
    dropped = command(bank, "drop", str(first["id"]), "--reason", "told by telephone")
    assert dropped.returncode == 0, dropped.stderr
    hook.status = 204
    assert command(bank, "retry", "--all").returncode == 0
    hook.wait_for(lambda: hook.types(client_id) == ["client.updated"])
    sql = "SELECT client_id, evidence FROM audit_events WHERE type = 'message.dropped'"
    ((of, evidence),) = bank.rows(sql)
    told = json.loads(evidence)
    assert (of, told["event"], told["reason"]) == (client_id, first["id"], "told by telephone")


def test_operators_decide_without_a_server(bank: Desk, hook: Hook, party: Party) -> None:
    hook.status = 500
    client_id = register(party).json["client_id"]
    assert bank.stop() == 0
    (message,) = listed(bank)
    dropped = command(bank, "drop", str(message["id"]), "--reason", "told by telephone")
    assert dropped.returncode == 0, dropped.stderr
    assert (listed(bank), "Nothing waits." in command(bank, "list").stdout) == ([], True)
    assert bank.rows("SELECT count(*) FROM clients WHERE client_id = ?", client_id) == [(1,)]


def test_nothing_acknowledged_is_left_untold_by_kills(
    desk: Desk, hook: Hook, bank: Desk, party_of: PartyOf
) -> None:
    """Changes under load and five kills: each is told, those of one client in order."""
    chance = random.Random(20261124)
    writers = [Writer(party_of(bank), random.Random(n)) for n in range(2)]
    for writer in writers:
        writer.party.token  # noqa: B018 - one token outlives all kills
    for _ in range(5):
        enough = threading.Semaphore(0)
        threads = at_work(writers, enough)
        for _ in range(chance.randint(1, 20)):
            assert enough.acquire(timeout=30)
        bank.kill()
        wait_for(threads)
        bank.start()
        check_nothing_lost(bank, writers)
    sql = "SELECT id FROM audit_events WHERE type LIKE 'client.%'"
    happened = {number for (number,) in bank.rows(sql)}
    told = lambda: {event["data"]["sequence"] for event in hook.events}  # noqa: E731
    hook.wait_for(lambda: told() == happened)
    by_client: dict[str, list[int]] = {}
    for event in hook.events:
        by_client.setdefault(event["data"]["client_id"], []).append(event["data"]["sequence"])
    for sequence in by_client.values():
        assert sequence == sorted(sequence)
    assert [writer.surprise for writer in writers] == [None, None]
    hook.wait_for(lambda: listed(bank) == [])
