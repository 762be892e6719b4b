"""A dry run says what would come of a request, and stores nothing."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from live.desk import Desk
from live.party import Draft, Party, Reply

APPLIED = "handling=validate-only"


def rehearse(party: Party, draft: Draft) -> Reply:
    return party.send(party.signed(draft.set("Prefer", "respond-async, handling=validate-only")))


def rehearse_post(party: Party, **changes: Any) -> Any:
    return rehearse(party, party.draft("POST", body=party.metadata(**changes))).json


def counts(desk: Desk, party: Party) -> list[tuple[Any, ...]]:
    assert party.token  # the event of which is counted before
    return desk.rows(
        "SELECT (SELECT count(*) FROM clients), (SELECT count(*) FROM ledger),"
        " (SELECT count(*) FROM audit_events), (SELECT count(*) FROM client_history)"
    )


def test_a_dry_run_of_a_good_registration_is_accepted_and_stores_nothing(
    desk: Desk, acme: Party
) -> None:
    draft = acme.draft("POST", body=acme.metadata())
    before = counts(desk, acme)
    reply = rehearse(acme, draft)
    assert (reply.status, reply.fields["preference-applied"]) == (200, APPLIED)
    assert (reply.json["accepted"], reply.json["findings"]) == (True, [])
    assert "client_id" not in reply.json
    assert counts(desk, acme) == before


def test_a_dry_run_shows_the_metadata_that_the_registration_then_has(acme: Party) -> None:
    draft = acme.draft("POST", body=acme.metadata(description="gone", response_types=None))
    foreseen = rehearse(acme, draft).json["metadata"]
    registered = acme.send(acme.signed(draft.set("Prefer", None))).json
    assert foreseen == {name: registered[name] for name in foreseen}
    assert registered.keys() - foreseen.keys() == {
        *("client_id", "client_id_issued_at"),
        *("registration_client_uri", "registration_access_token"),
    }


def test_a_dry_run_tells_every_substitution_and_why(acme: Party) -> None:
    keys = acme.metadata()["jwks"]["keys"]
    report = rehearse_post(
        acme,
        description="gone",
        response_types=None,
        scope="pisp,aisp",
        jwks={"keys": [keys[0] | {"keys_ops": ["verify"]}]},
    )
    told = {each["member"]: each["code"] for each in report["substitutions"]}
    assert told == {
        "description": "member_not_kept",
        "response_types": "member_defaulted",
        "scope": "member_rewritten",
        "jwks": "member_rewritten",
    }


def test_a_dry_run_counts_ignored_members_and_names_only_plain_names(acme: Party) -> None:
    report = rehearse_post(acme, application_type="web", **{"<script>": 1, "a" * 65: 2})
    assert report["ignored_members"] == {"count": 3, "names": ["application_type"]}


def test_a_dry_run_lists_all_findings_at_once(desk: Desk, acme: Party) -> None:
    before = counts(desk, acme)
    report = rehearse_post(
        acme, redirect_uris=["http://tpp.test/cb"], grant_types=["implicit"], scope="aisp cbpii"
    )
    assert report["accepted"] is False
    assert {(each["member"], each["code"]) for each in report["findings"]} == {
        ("redirect_uris", "redirect_uri_scheme"),
        ("grant_types", "value_refused"),
        ("scope", "role_insufficient"),
    }
    assert all(each["meaning"] and each["remedy"] for each in report["findings"])
    assert "metadata" not in report
    assert counts(desk, acme) == before


def test_a_dry_run_judges_the_certificates_of_the_other_keys(
    acme: Party, new_pair: Callable[..., Any]
) -> None:
    expired = new_pair("qsealc", faults=("expired",))
    other = Party(acme.port, acme.ca, acme.organization, acme.qwac, expired)
    metadata = acme.metadata()
    metadata["jwks"]["keys"] += other.metadata()["jwks"]["keys"]
    report = rehearse(acme, acme.draft("POST", body=metadata)).json
    (finding,) = report["findings"]
    assert (finding["member"], finding["code"]) == ("jwks", "cert_expired")


def test_a_body_that_cannot_be_read_is_a_finding(acme: Party) -> None:
    report = rehearse(acme, acme.draft("POST", body=b'{"scope":1,"scope":2}')).json
    assert (report["accepted"], report["findings"][0]["code"]) == (False, "json_duplicate_member")
    report = rehearse_post(acme, redirect_uris="https://tpp.test/cb")
    assert report["findings"][0]["code"] == "member_wrong_type"


def test_who_is_not_believed_is_refused_in_a_dry_run_too(
    desk: Desk, acme: Party, rival: Party
) -> None:
    draft = acme.draft("POST", body=acme.metadata()).set("Prefer", APPLIED)
    reply = acme.send(acme.signed(draft, pair=rival.qsealc))
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert "preference-applied" not in reply.fields
    stolen = acme.signed(acme.draft("POST", body=acme.metadata())).set("Prefer", APPLIED)
    assert acme.send(stolen.set("Authorization", f"Bearer {'A' * 43}")).status == 401


def test_a_dry_run_of_bytes_that_were_answered_is_no_answer_again(acme: Party) -> None:
    post = acme.post()
    assert acme.send(post).status == 201
    reply = acme.send(post.set("Prefer", APPLIED))
    assert (reply.status, reply.json["accepted"]) == (200, True)


def test_a_dry_run_of_an_update_leaves_the_client_as_it_is(desk: Desk, acme: Party) -> None:
    client_id = acme.register().json["client_id"]
    stands = acme.get(client_id)
    before = counts(desk, acme)
    metadata = acme.metadata(client_id=client_id, client_name="Version Two")
    reply = rehearse(acme, acme.draft("PUT", client_id, metadata))
    assert (reply.status, reply.json["accepted"]) == (200, True)
    assert reply.json["metadata"]["client_name"] == "Version Two"
    reply = rehearse(acme, acme.draft("PUT", client_id, metadata | {"client_id": "other"}))
    assert [each["code"] for each in reply.json["findings"]] == ["client_id_differs"]
    assert acme.get(client_id).body == stands.body
    assert counts(desk, acme) == before


def test_a_dry_run_does_not_tell_a_foreign_client_from_an_unknown_one(
    acme: Party, rival: Party
) -> None:
    client_id = acme.register().json["client_id"]
    rival.register()
    answers = [
        rehearse(rival, rival.draft("PUT", each, rival.metadata(client_id=each)))
        for each in (client_id, "0" * 32)
    ]
    assert [answer.status for answer in answers] == [403, 403]


@pytest.mark.parametrize(
    "prefer", ["handling=lenient", "return=minimal", "handling=strict, handling=validate-only", ""]
)
def test_other_preferences_register_as_ever(acme: Party, prefer: str) -> None:
    draft = acme.draft("POST", body=acme.metadata()).set("Prefer", prefer)
    reply = acme.send(acme.signed(draft))
    assert (reply.status, "preference-applied" in reply.fields) == (201, False)


@pytest.fixture(scope="module")
def rationed(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that takes two clients of an organisation, and three registrations a minute."""
    folder: Path = tmp_path_factory.mktemp("rationed") / "sandbox"
    settings = {"limits__clients_per_organization": 1, "limits__registrations_per_minute": 3}
    with desk.beside(folder, limits__rates="on", **settings) as running:
        yield running


def test_a_dry_run_tells_of_the_quota_and_counts_in_the_rates(
    rationed: Desk, party_of: Callable[..., Party]
) -> None:
    party = party_of(rationed)
    assert rehearse_post(party)["accepted"] is True
    assert party.register().status == 201
    (finding,) = rehearse_post(party)["findings"]
    assert finding["code"] == "quota_reached"
    assert rehearse(party, party.draft("POST", body=party.metadata())).status == 429


def test_the_command_asks_for_a_dry_run(desk: Desk, acme: Party) -> None:
    before = counts(desk, acme)[0][:2]
    command = [sys.executable, "-m", "enrol", "tpp", "register", "--dry-run", "--json"]
    profile = ["--profile", str(desk.folder / "tpp" / "profile.toml")]
    url = ["--bank-url", f"https://127.0.0.1:{desk.port}"]
    result = subprocess.run([*command, *profile, *url], check=True, capture_output=True, text=True)
    assert json.loads(result.stdout)["accepted"] is True
    assert counts(desk, acme)[0][:2] == before
