"""Whoever says which version a change builds on loses no other change."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from live.desk import Desk
from live.party import Draft, Party

AT_ONCE = 8


def put(party: Party, client_id: str, name: str, tag: str | None) -> Draft:
    draft = party.draft("PUT", client_id, party.metadata(client_id=client_id, client_name=name))
    return party.signed(draft.set("If-Match", tag))


@pytest.fixture
def client_id(acme: Party) -> str:
    return str(acme.register().json["client_id"])


def test_every_answer_with_a_registration_names_its_version(acme: Party) -> None:
    created = acme.register()
    client_id = created.json["client_id"]
    assert created.fields["etag"] == acme.get(client_id).fields["etag"] == '"1"'
    updated = acme.put(client_id, acme.metadata(client_id=client_id))
    assert updated.fields["etag"] == acme.get(client_id).fields["etag"] == '"2"'


@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"'])
def test_a_change_of_the_named_version_is_carried_out(
    acme: Party, client_id: str, tag: str
) -> None:
    assert acme.send(put(acme, client_id, "Two", tag)).status == 200


@pytest.mark.parametrize("tag", ['"2"', "1", 'W/"1"', "", '""', '"1'])
def test_a_change_of_another_version_is_refused(acme: Party, client_id: str, tag: str) -> None:
    reply = acme.send(put(acme, client_id, "Two", tag))
    assert (reply.status, reply.code, reply.json["error"]) == (400, "etag_stale", "invalid_request")
    delete = acme.draft("DELETE", client_id).set("If-Match", tag)
    assert acme.send(acme.signed(delete)).code == "etag_stale"
    assert acme.get(client_id).json["client_name"] == "Acme Co."


def test_a_deletion_of_the_named_version_is_carried_out(acme: Party, client_id: str) -> None:
    delete = acme.draft("DELETE", client_id).set("If-Match", '"1"')
    assert acme.send(acme.signed(delete)).status == 204


def test_the_answer_to_a_conditional_change_is_given_again(acme: Party, client_id: str) -> None:
    draft = put(acme, client_id, "Two", '"1"')
    first = acme.send(draft)
    assert (first.status, acme.send(draft).body) == (200, first.body)


def test_a_foreign_client_is_none_of_the_callers_whatever_it_names(
    acme: Party, rival: Party, client_id: str
) -> None:
    rival.register()
    for tag in ('"1"', '"9"', "*"):
        assert rival.send(put(rival, client_id, "Mine", tag)).status == 403


def test_of_two_updates_of_one_version_none_is_lost(
    desk: Desk, acme: Party, client_id: str
) -> None:
    names = [f"Version {number}" for number in range(AT_ONCE)]
    drafts = [put(acme, client_id, name, '"1"') for name in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        replies = list(pool.map(acme.exchange, [draft.to_bytes() for draft in drafts]))
    winners = [n for n, reply in enumerate(replies) if reply.status == 200]
    assert len(winners) == 1
    for number, reply in enumerate(replies):
        if number not in winners:
            assert reply.code == "etag_stale"
            assert acme.send(drafts[number]).code == "etag_stale"
    stands = acme.get(client_id)
    assert (stands.fields["etag"], stands.json["client_name"]) == ('"2"', names[winners[0]])
    assert desk.rows("SELECT version FROM clients WHERE client_id = ?", client_id) == [(2,)]
