"""The registration access token of a client: replaced by updates, and never lost for good."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from live.desk import Desk
from live.party import Draft, Party, Reply

METHODS = ("GET", "PUT", "DELETE")
AT_ONCE = 8


@pytest.fixture
def client(acme: Party) -> dict[str, Any]:
    """A client of Acme as it was answered."""
    return dict(acme.register().json)


@pytest.fixture
def crash_desk(desk: Desk, folder: Any) -> Iterator[Desk]:
    """A bank of one's own that may be killed."""
    with desk.beside(folder) as bank:
        yield bank


def by_token(draft: Draft, party: Party, token: str) -> Draft:
    return party.signed(draft.set("Authorization", f"Bearer {token}"))


def read(party: Party, client_id: str, token: str) -> Reply:
    return party.send(by_token(party.draft("GET", client_id), party, token))


def update(party: Party, client_id: str, token: str, name: str = "Other") -> Draft:
    body = party.metadata(client_id=client_id, client_name=name)
    return by_token(party.draft("PUT", client_id, body), party, token)


def token_of(reply: Reply) -> str:
    assert reply.status in (200, 201), reply
    return str(reply.json["registration_access_token"])


def test_an_update_brings_a_new_token_and_its_first_use_ends_the_old_one(
    acme: Party, client: dict[str, Any]
) -> None:
    client_id, first = client["client_id"], client["registration_access_token"]
    second = token_of(acme.send(update(acme, client_id, first)))
    assert second != first
    assert token_of(read(acme, client_id, first)) == second
    assert token_of(read(acme, client_id, second)) == second
    late = read(acme, client_id, first)
    assert (late.status, late.code) == (401, "token_superseded")
    assert 'error="invalid_token"' in late.fields["www-authenticate"]


def test_no_further_token_is_issued_before_the_last_one_is_used(
    acme: Party, client: dict[str, Any]
) -> None:
    client_id, first = client["client_id"], client["registration_access_token"]
    answers = [acme.send(update(acme, client_id, first, name)) for name in ("One", "Two")]
    second = token_of(answers[0])
    assert token_of(answers[1]) == second
    third = token_of(acme.send(update(acme, client_id, second)))
    assert third not in (first, second)
    assert read(acme, client_id, first).code == "token_superseded"


def test_rotated_rat_lost_with_the_response_client_locked_out(
    acme: Party, client: dict[str, Any]
) -> None:
    client_id, first = client["client_id"], client["registration_access_token"]
    put = update(acme, client_id, first)
    lost = acme.send(put)
    assert acme.send(put).body == lost.body
    assert token_of(acme.get(client_id)) == token_of(lost)
    assert read(acme, client_id, token_of(lost)).status == 200
    assert acme.send(put).body == lost.body  # signed with a token that is refused for anything else


def test_a_lost_token_is_given_again_to_the_certificate_of_the_organisation(
    acme: Party, rival: Party, client: dict[str, Any]
) -> None:
    client_id = client["client_id"]
    second = token_of(acme.put(client_id, acme.metadata(client_id=client_id)))
    assert token_of(acme.get(client_id)) == second
    rival.register()
    assert rival.get(client_id).status == 403


def test_rat_survives_client_deletion(acme: Party, client: dict[str, Any]) -> None:
    client_id, token = client["client_id"], client["registration_access_token"]
    acme.register()  # so that the key that signs stays known
    delete = by_token(acme.draft("DELETE", client_id), acme, token)
    assert (acme.send(delete).status, acme.send(delete).status) == (204, 204)
    for method in METHODS:
        body = acme.metadata(client_id=client_id) if method == "PUT" else None
        reply = acme.send(by_token(acme.draft(method, client_id, body), acme, token))
        assert (reply.status, reply.code) == (401, "token_unknown")


def test_a_client_with_a_second_token_is_deleted_whole(
    desk: Desk, acme: Party, client: dict[str, Any]
) -> None:
    client_id = client["client_id"]
    second = token_of(acme.put(client_id, acme.metadata(client_id=client_id)))
    assert read(acme, client_id, second).status == 200
    assert desk.rows("SELECT generation FROM client_token_uses WHERE client_id = ?", client_id)
    assert acme.delete(client_id).status == 204
    assert not desk.rows("SELECT 1 FROM client_token_uses WHERE client_id = ?", client_id)


@pytest.mark.parametrize("method", METHODS)
def test_unknown_and_foreign_clients_are_alike_to_whoever_brings_a_token(
    acme: Party, rival: Party, client: dict[str, Any], method: str
) -> None:
    rival.register()
    own = rival.register().json["registration_access_token"]
    stolen = client["registration_access_token"]

    def ask(client_id: str, token: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        body = rival.metadata(client_id=client_id) if method == "PUT" else None
        reply = rival.send(by_token(rival.draft(method, client_id, body), rival, token))
        hidden = ("date", "x-request-id")
        fields = {name: value for name, value in reply.fields.items() if name not in hidden}
        return reply.status, fields, {**reply.json, "timestamp": None}

    alike = ask("0" * 32, own)
    assert alike[0] == 401
    assert ask(client["client_id"], own) == ask(client["client_id"], stolen) == alike


def test_the_first_use_outlives_the_process(crash_desk: Desk, party_of: Any) -> None:
    party = party_of(crash_desk)
    client = party.register().json
    client_id, first = client["client_id"], client["registration_access_token"]
    second = token_of(party.send(update(party, client_id, first)))
    assert read(party, client_id, second).status == 200
    crash_desk.kill()
    crash_desk.start()
    party.close()
    party.port = crash_desk.port
    assert read(party, client_id, first).code == "token_superseded"
    assert read(party, client_id, second).status == 200


def test_updates_at_the_same_time_bring_one_new_token(acme: Party, client: dict[str, Any]) -> None:
    client_id, first = client["client_id"], client["registration_access_token"]
    puts = [
        update(acme, client_id, first, f"Name {number}").to_bytes() for number in range(AT_ONCE)
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = [*pool.map(acme.exchange, puts)]
    assert {reply.status for reply in replies} <= {200, 503}
    tokens = {token_of(reply) for reply in replies if reply.status == 200}
    assert len(tokens) == 1
    second = tokens.pop()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        reads = [by_token(acme.draft("GET", client_id), acme, second) for _ in range(AT_ONCE)]
        statuses = {reply.status for reply in pool.map(acme.exchange, map(Draft.to_bytes, reads))}
    assert statuses == {200}
    assert read(acme, client_id, first).code == "token_superseded"
