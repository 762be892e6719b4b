"""One organisation, one software, one set of keys: what a second registration comes to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from live.desk import Desk
from live.party import Party, Reply

PartyOf = Callable[..., Party]
AT_ONCE = 12


def bank_that(policy: str) -> Any:
    """Make a fixture: a bank with `registration.on_duplicate` set."""

    @pytest.fixture(scope="module", name=f"{policy}ing_bank")
    def bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
        folder = tmp_path_factory.mktemp(policy) / "sandbox"
        with desk.beside(folder, registration__on_duplicate=policy) as running:
            yield running

    return bank


returning_bank = bank_that("return")
refuseing_bank = bank_that("refuse")


def at_once(party: Party, **changes: Any) -> list[Reply]:
    """Register the same software many times at the same time, each time with an id of its own."""
    requests = [party.post(party.metadata(**changes)).to_bytes() for _ in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(party.exchange, requests))


def test_the_standing_client_is_returned_as_it_stands(
    returning_bank: Desk, party_of: PartyOf
) -> None:
    party = party_of(returning_bank)
    first = party.register(party.metadata(software_id="a"))
    changed = {"software_id": "a", "redirect_uris": ["https://tpp.test/other"]}
    again = party.register(party.metadata(**changed))
    assert (again.status, again.body) == (201, first.body)
    assert again.fields["location"] == first.json["registration_client_uri"]
    assert again.fields["etag"] == first.fields["etag"]


def test_a_returned_client_is_returned_to_the_same_bytes_after_it_changed(
    returning_bank: Desk, party_of: PartyOf
) -> None:
    party = party_of(returning_bank)
    client_id = party.register(party.metadata(software_id="b")).json["client_id"]
    post = party.post(party.metadata(software_id="b"))
    first = party.send(post)
    party.put(client_id, party.metadata(software_id="b2", client_id=client_id))
    assert party.send(post).body == first.body


def test_another_software_is_another_client(returning_bank: Desk, party_of: PartyOf) -> None:
    party = party_of(returning_bank)
    made = [
        party.register(party.metadata(**each)).json["client_id"]
        for each in (
            {"software_id": "c"},
            {"software_id": "d"},
            {"client_name": "C"},
            {"software_id": "c", "client_legal_id": "AGTFR-ACPR-12345001"},
        )
    ]
    assert len(set(made)) == 4


def test_another_organisation_never_gets_the_client(
    returning_bank: Desk, party_of: PartyOf
) -> None:
    one = party_of(returning_bank)
    other = party_of(returning_bank, "PSDFR-ACPR-22222")
    ids = {
        party.register(party.metadata(software_id="e")).json["client_id"] for party in (one, other)
    }
    assert len(ids) == 2


def test_of_equal_registrations_at_the_same_time_one_client_is_made(
    returning_bank: Desk, party_of: PartyOf
) -> None:
    party = party_of(returning_bank)
    before = returning_bank.count_clients()
    replies = at_once(party, software_id="raced")
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert returning_bank.count_clients() == before + 1


def test_the_same_software_is_refused_with_its_code(
    refuseing_bank: Desk, party_of: PartyOf
) -> None:
    party = party_of(refuseing_bank)
    assert party.register().status == 201
    reply = party.register()
    assert (reply.status, reply.json["error"]) == (400, "invalid_client_metadata")
    assert reply.code == "already_registered"


def test_the_same_bytes_are_answered_again_and_not_refused(
    refuseing_bank: Desk, party_of: PartyOf
) -> None:
    party = party_of(refuseing_bank)
    post = party.post(party.metadata(software_id="again"))
    first = party.send(post)
    assert (first.status, party.send(post).body) == (201, first.body)


def test_of_equal_registrations_at_the_same_time_one_is_not_refused(
    refuseing_bank: Desk, party_of: PartyOf
) -> None:
    replies = at_once(party_of(refuseing_bank), software_id="raced")
    assert sorted(reply.status for reply in replies) == [201] + [400] * (AT_ONCE - 1)


def test_a_deleted_client_may_be_registered_again(refuseing_bank: Desk, party_of: PartyOf) -> None:
    party = party_of(refuseing_bank)
    client_id = party.register(party.metadata(software_id="gone")).json["client_id"]
    assert party.delete(client_id).status == 204
    reply = party.register(party.metadata(software_id="gone"))
    assert reply.status == 201
    assert reply.json["client_id"] != client_id


@pytest.mark.parametrize(("policy", "accepted"), [("return", True), ("refuse", False)])
def test_a_dry_run_tells_what_a_repetition_comes_to(
    request: pytest.FixtureRequest, party_of: PartyOf, policy: str, accepted: bool
) -> None:
    bank: Desk = request.getfixturevalue(f"{policy}ing_bank")
    party = party_of(bank)
    client_id = party.register(party.metadata(software_id="dry")).json["client_id"]
    draft = party.draft("POST", body=party.metadata(software_id="dry"))
    report = party.send(party.signed(draft.set("Prefer", "handling=validate-only"))).json
    assert report["accepted"] is accepted
    assert report.get("client_id") == (client_id if accepted else None)
    assert (
        [each["code"] for each in report["findings"]] == [] if accepted else ["already_registered"]
    )


def test_without_the_setting_every_registration_is_a_client(desk: Desk, acme: Party) -> None:
    before = desk.count_clients()
    assert {reply.status for reply in at_once(acme)} == {201}
    assert desk.count_clients() == before + AT_ONCE
