"""The states of a client as its TPP lives them: pending, approved, rejected, suspended, in time."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import attacks.clocked_desk
from attacks.bank import eventually
from attacks.clocked_desk import CLOCK
from enrol.adapters.control.client import Control
from enrol.errors import RefusalError
from enrol.oauth.types import ClientId
from enrol.registration.operators import Action, Order
from live.desk import Desk
from live.party import Party, Reply

PartyOf = Callable[..., Party]
STATE = ("client_state", "client_state_reason", "client_active_from")


@pytest.fixture(scope="module")
def manual_bank(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank where two people approve each registration."""
    folder = tmp_path_factory.mktemp("manual") / "sandbox"
    settings = {"approval__mode": "manual", "approval__four_eyes": "true"}
    settings |= {"registration__listing": "true", "registration__on_duplicate": "return"}
    with desk.beside(folder, **settings) as running:
        yield running


@pytest.fixture
def party(manual_bank: Desk, party_of: PartyOf) -> Party:
    return party_of(manual_bank)


def order(bank: Desk, action: str, client_id: str, reason: str = "", *, actor: str = "ann") -> str:
    """Order something of the running server, and return the code it refuses with, else nothing."""
    wanted = Order(Action(action), ClientId(client_id), reason)
    try:
        asyncio.run(Control(bank.database).carry_out(wanted, actor=actor))
    except RefusalError as refusal:
        return refusal.code
    return ""


def approve(bank: Desk, client_id: str) -> None:
    for actor in ("ann", "bob"):
        assert order(bank, "approve", client_id, actor=actor) == ""


def ask_token(party: Party, client_id: str) -> Reply:
    return party.send(party.token_draft(client_id=client_id))


def state(reply: Reply) -> tuple[Any, ...]:
    return tuple(reply.json.get(member) for member in STATE)


def events(bank: Desk, client_id: str) -> list[tuple[Any, ...]]:
    sql = "SELECT type, evidence FROM audit_events WHERE client_id = ? AND type LIKE 'client.%'"
    found = [(kind, json.loads(text)) for kind, text in bank.rows(f"{sql} ORDER BY id", client_id)]
    return [
        (kind, seen.get("state"), seen.get("actor"), seen.get("reason")) for kind, seen in found
    ]


WAITS = ("pending", "The bank has not approved the registration yet.", None)
WAITS_FOR_ANOTHER = (
    *("pending", "One person of the bank has approved the registration; a second one has to."),
    None,
)


def test_a_client_works_once_two_people_have_approved_it(manual_bank: Desk, party: Party) -> None:
    registered = party.register(party.metadata(software_id="approved"))
    client_id = registered.json["client_id"]
    assert (registered.status, state(registered)) == (201, WAITS)
    refused = ask_token(party, client_id)
    assert (refused.status, refused.code) == (401, "client_pending")
    assert "GET on its registration says what it waits for" in refused.json["error_description"]
    assert order(manual_bank, "approve", client_id) == ""
    assert state(party.get(client_id)) == WAITS_FOR_ANOTHER
    assert order(manual_bank, "approve", client_id) == "same_operator"
    assert ask_token(party, client_id).code == "client_pending"
    assert order(manual_bank, "approve", client_id, actor="bob") == ""
    assert not set(STATE) & party.get(client_id).json.keys()
    assert ask_token(party, client_id).status == 200
    told = events(manual_bank, client_id)
    assert [kind for kind, *_ in told] == [
        *("client.registered", "client.first_approved", "client.approved")
    ]
    assert [state for _, state, *_ in told] == ["pending", "pending", None]
    assert told[2][2].startswith("bob")


def test_what_changes_has_to_be_approved_and_a_renewal_has_not(
    manual_bank: Desk, party: Party
) -> None:
    metadata = party.metadata(software_id="changing")
    client_id = party.register(metadata).json["client_id"]
    approve(manual_bank, client_id)
    same = party.put(client_id, metadata | {"client_id": client_id})
    assert (same.status, state(same)) == (200, (None, None, None))
    changed = metadata | {"client_id": client_id, "redirect_uris": ["https://tpp.test/new"]}
    pending = party.put(client_id, changed)
    assert (pending.status, state(pending)) == (200, WAITS)
    assert ask_token(party, client_id).code == "client_pending"
    assert [kind for kind, *_ in events(manual_bank, client_id)][3:] == [
        *("client.updated", "client.updated", "client.pending")
    ]
    approve(manual_bank, client_id)
    assert ask_token(party, client_id).status == 200


def test_a_rejected_client_says_why_and_can_only_be_read_and_deleted(
    manual_bank: Desk, party: Party
) -> None:
    metadata = party.metadata(software_id="rejected")
    client_id = party.register(metadata).json["client_id"]
    assert order(manual_bank, "reject", client_id, "Wrong branch.") == ""
    why = ("rejected", "The bank has rejected the registration. Wrong branch.", None)
    shown = party.get(client_id)
    assert (shown.status, state(shown)) == (200, why)
    assert ask_token(party, client_id).code == "client_rejected"
    again = party.register(metadata)
    assert (again.json["client_id"], state(again)) == (client_id, why)
    refused = party.put(client_id, metadata | {"client_id": client_id})
    assert (refused.status, refused.code) == (403, "client_rejected")
    assert order(manual_bank, "approve", client_id) == "transition_refused"
    assert party.delete(client_id).status == 204
    assert party.register(metadata).json["client_id"] != client_id


def test_what_the_bank_suspends_an_update_does_not_resume(manual_bank: Desk, party: Party) -> None:
    metadata = party.metadata(software_id="suspended")
    client_id = party.register(metadata).json["client_id"]
    approve(manual_bank, client_id)
    assert order(manual_bank, "suspend", client_id, "Call us.") == ""
    why = ("suspended", "The bank has suspended the client. Call us.", None)
    assert state(party.get(client_id)) == why
    changed = metadata | {"client_id": client_id, "client_name": "Acme Renamed"}
    updated = party.put(client_id, changed)
    assert (updated.status, state(updated)) == (200, why)
    assert ask_token(party, client_id).code == "client_suspended"
    assert order(manual_bank, "resume", client_id) == ""
    assert state(party.get(client_id)) == WAITS  # its new name was approved by nobody
    assert party.delete(client_id).status == 204


def test_the_list_has_the_state_of_whoever_is_not_active(manual_bank: Desk, party: Party) -> None:
    names = {
        name: party.register(party.metadata(software_id=f"listed-{name}")).json["client_id"]
        for name in ("pending", "active", "rejected")
    }
    approve(manual_bank, names["active"])
    order(manual_bank, "reject", names["rejected"], "Why")
    listed = party.send(party.signed(party.draft("GET"))).json["clients"]
    found = {each["client_id"]: each.get("client_state") for each in listed}
    assert [found[names[name]] for name in names] == ["pending", None, "rejected"]


def test_a_dry_run_says_which_state_would_come(manual_bank: Desk, party: Party) -> None:
    def dry_run(method: str, body: dict[str, Any], client_id: str | None = None) -> Reply:
        draft = party.draft(method, client_id, body).set("Prefer", "handling=validate-only")
        return party.send(party.signed(draft))

    metadata = party.metadata(software_id="rehearsed")
    assert state(dry_run("POST", metadata)) == WAITS
    client_id = party.register(metadata).json["client_id"]
    approve(manual_bank, client_id)
    own = metadata | {"client_id": client_id}
    assert state(dry_run("PUT", own, client_id)) == (None, None, None)
    assert state(dry_run("PUT", own | {"client_name": "Other"}, client_id)) == WAITS
    assert state(dry_run("POST", metadata)) == (None, None, None)
    assert not party.get(client_id).json.keys() & set(STATE)


def test_what_the_bank_deletes_is_gone_with_its_tokens(manual_bank: Desk, party: Party) -> None:
    client_id = party.register(party.metadata(software_id="deleted")).json["client_id"]
    approve(manual_bank, client_id)
    own = ask_token(party, client_id).json["access_token"]
    assert order(manual_bank, "delete", client_id, "Gone.") == ""
    assert (party.get(client_id).status, party.get(client_id).code) == (403, "client_not_yours")
    party.use_token(own)
    assert party.get(client_id).code == "token_unknown"
    assert events(manual_bank, client_id)[-1][0::3] == ("client.deleted", "Gone.")


def test_the_trail_of_what_operators_did_verifies(manual_bank: Desk, party: Party) -> None:
    client_id = party.register(party.metadata(software_id="audited")).json["client_id"]
    approve(manual_bank, client_id)
    for action in ("suspend", "resume", "delete"):
        assert order(manual_bank, action, client_id, "Why") == ""
    command = (sys.executable, "-m", "enrol", "audit", "verify", "--config")
    config = str(manual_bank.folder / "enrol.toml")
    done = subprocess.run([*command, config], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_is_active_from_its_time_on_and_that_is_told_once(
    desk: Desk, tmp_path: Path, party_of: PartyOf
) -> None:
    settings = {"approval.effective": "next_working_day", "approval.zone": "UTC"}
    settings |= {"approval.cut_off": "23:59", "approval.time": "23:59"}
    bank = desk.beside(tmp_path / "later")
    bank.settings |= settings
    bank.program = (attacks.clocked_desk.__file__,)
    with bank:
        party = party_of(bank)
        registered = party.register()
        client_id = registered.json["client_id"]
        name, reason, active_from = state(registered)
        assert (registered.status, name) == (201, "pending")
        assert "client_active_from" in reason
        assert datetime.fromtimestamp(active_from, UTC).strftime("%H:%M:%S") == "23:59:00"
        assert ask_token(party, client_id).code == "client_pending"
        ahead = active_from - datetime.now(UTC).timestamp() + 1
        (bank.folder / CLOCK).write_text(str(ahead))
        assert ask_token(party, client_id).status == 200
        party.use_token(party.send(party.token_draft()).json["access_token"])
        assert not party.get(client_id).json.keys() & set(STATE)
        assert eventually(lambda: len(events(bank, client_id)) == 2)
        assert [kind for kind, *_ in events(bank, client_id)] == [
            *("client.registered", "client.activated")
        ]
        assert bank.rows("SELECT count(*) FROM client_standings") == [(0,)]
