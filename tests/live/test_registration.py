"""The life of a registration, over TLS with signed requests."""

import json

from live.desk import Desk
from live.party import Party

ISSUED = {"registration_client_uri", "registration_access_token", "client_id_issued_at"}


def test_a_client_lives_from_registration_to_deletion(desk: Desk, acme: Party) -> None:
    created = acme.register()
    assert created.status == 201, created
    client = created.json
    client_id = client["client_id"]
    assert client["registration_client_uri"].endswith(f"/stet/setting/v1/register/{client_id}")
    assert isinstance(client["client_id_issued_at"], int)
    assert created.fields["location"] == client["registration_client_uri"]

    read = acme.get(client_id)
    assert (read.status, read.json) == (200, client)

    changed = {k: v for k, v in client.items() if k not in ISSUED} | {"client_name": "Acme Two"}
    updated = acme.put(client_id, changed)
    assert updated.status == 200, updated
    expected = client | {"client_name": "Acme Two"}
    token = expected.pop("registration_access_token")
    assert {n: v for n, v in updated.json.items() if n != "registration_access_token"} == expected
    assert updated.json["registration_access_token"] not in (None, token)

    deleted = acme.delete(client_id)
    assert (deleted.status, deleted.body) == (204, b"")
    assert acme.get(client_id).status in (401, 403)
    assert desk.rows("SELECT count(*) FROM clients WHERE client_id = ?", client_id) == [(0,)]


def test_the_answer_holds_every_member_that_was_registered(acme: Party) -> None:
    acme.register()  # an agent needs its TPP
    sent = acme.metadata(
        client_uri="https://tpp.test/",
        logo_uri="https://tpp.test/logo.png",
        tos_uri="https://tpp.test/tos",
        policy_uri="https://tpp.test/policy",
        contacts=["ops@tpp.test"],
        client_legal_id="AGTFR-ACPR-12345001",
        logo="QUFB",
        software_id="acme",
        software_version="1.0",
        scope="aisp pisp",
    )
    answered = acme.register(sent).json
    assert {name: answered.get(name) for name in sent} == sent


def test_the_same_bytes_are_answered_alike_and_create_nothing(desk: Desk, acme: Party) -> None:
    draft = acme.post()
    first = acme.send(draft)
    count = desk.count_clients()
    second = acme.send(draft)
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    assert desk.count_clients() == count


def test_another_body_under_the_same_request_id_is_another_request(acme: Party) -> None:
    post = acme.post()
    first = acme.send(post)
    draft = acme.draft("POST", body=acme.metadata(client_name="Acme Three"))
    second = acme.send(acme.signed(draft.set("X-Request-ID", post.get("x-request-id"))))
    assert (first.status, second.status) == (201, 201)
    assert first.json["client_id"] != second.json["client_id"]


def test_a_lost_answer_to_an_update_or_a_deletion_is_given_again(acme: Party) -> None:
    client_id = acme.register().json["client_id"]
    put = acme.signed(
        acme.draft("PUT", client_id, acme.metadata(client_id=client_id, client_name="New"))
    )
    assert acme.send(put).body == acme.send(put).body
    delete = acme.signed(acme.draft("DELETE", client_id))
    assert (acme.send(delete).status, acme.send(delete).status) == (204, 204)
    replayed = acme.send(put)
    assert (replayed.status, replayed.json["client_name"]) == (200, "New")


def test_another_organisation_and_an_unknown_client_are_answered_alike(
    acme: Party, rival: Party
) -> None:
    client_id = acme.register().json["client_id"]
    rival.register()
    foreign, unknown = rival.get(client_id), rival.get("0" * 32)
    assert foreign.status == unknown.status == 403
    hide = {"timestamp"}
    assert {k: v for k, v in foreign.json.items() if k not in hide} == {
        k: v for k, v in unknown.json.items() if k not in hide
    }
    assert acme.get(client_id).status == 200


def test_the_management_token_works_for_its_own_client_only(acme: Party) -> None:
    one, two = acme.register().json, acme.register().json
    draft = acme.draft("GET", one["client_id"])
    draft.set("Authorization", f"Bearer {one['registration_access_token']}")
    assert acme.send(acme.signed(draft)).status == 200
    draft = acme.draft("GET", two["client_id"])
    draft.set("Authorization", f"Bearer {one['registration_access_token']}")
    assert acme.send(acme.signed(draft)).status == 401


def test_every_change_is_audited_with_its_request_id(desk: Desk, acme: Party) -> None:
    draft = acme.post()
    client_id = acme.send(draft).json["client_id"]
    acme.delete(client_id)
    events = desk.rows(
        "SELECT type, request_id, evidence FROM audit_events WHERE client_id = ? ORDER BY id",
        client_id,
    )
    assert [event for event, _, _ in events] == ["client.registered", "client.deleted"]
    assert events[0][1] == draft.get("x-request-id")
    assert set(json.loads(events[0][2])) >= {"qwac", "qsealc", "signature_mode"}
