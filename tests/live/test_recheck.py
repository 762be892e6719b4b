"""Stored clients stay honest: re-checked while the bank serves, suspended, renewed, resumed."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from enrol.adapters.register.importing import import_register
from enrol.sandbox.folder import open_sandbox
from live.desk import Desk
from live.party import Party, Reply, issue
from register_file import document, entity, write

PartyOf = Callable[..., Party]


@pytest.fixture
def bank(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A bank whose QTSP revokes only here."""
    with desk.beside(tmp_path / "bank") as running:
        running.issuer = running.folder
        yield running


def recheck(bank: Desk, *options: str) -> dict[str, Any]:
    config = str(bank.folder / "enrol.toml")
    command = (sys.executable, "-m", "enrol", "trust", "recheck", "--config", config, "--json")
    said = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    report: dict[str, Any] = json.loads(said.stdout)
    return report


def revoke(bank: Desk, party: Party) -> None:
    serial = party.qsealc.certificate.serial_number
    open_sandbox(bank.folder).revoke(serial, at=datetime.now(UTC))


def ask_token(party: Party, client_id: str) -> Reply:
    return party.send(party.token_draft(client_id=client_id))


def events(bank: Desk, client_id: str) -> list[tuple[str, str | None]]:
    sql = "SELECT type, code FROM audit_events WHERE client_id = ? AND type LIKE 'client.%'"
    return bank.rows(f"{sql} ORDER BY id", client_id)


def test_a_revoked_seal_suspends_its_client_until_it_is_renewed(
    bank: Desk, party_of: PartyOf
) -> None:
    party, other = party_of(bank), party_of(bank, "PSDFR-ACPR-22222")
    client_id, others = (one.register().json["client_id"] for one in (party, other))
    revoke(bank, party)
    assert recheck(bank, "--dry-run")["suspended"] == 1
    assert ask_token(party, client_id).status == 200
    report = recheck(bank)
    assert (report["clients"], report["suspended"], report["undecided"]) == (2, 1, 0)
    refused = ask_token(party, client_id)
    assert (refused.status, refused.code) == (401, "client_suspended")
    assert refused.json["error"] == "invalid_client"
    assert ask_token(other, others).status == 200
    renewed = Party(
        *(bank.port, party.ca, party.organization, party.qwac),
        issue(bank.folder, "qsealc", party.organization, roles=("PSP_AI", "PSP_PI"), name="new"),
    )
    shown = renewed.put(client_id, renewed.metadata(client_id=client_id))
    assert shown.status == 200
    assert ask_token(renewed, client_id).status == 200
    assert renewed.get(client_id).status == 200
    renewed.close()
    assert recheck(bank) == report | {"suspended": 0}
    assert events(bank, client_id) == [
        ("client.registered", None),
        ("client.suspended", "cert_revoked"),
        ("client.updated", None),
        ("client.resumed", "cert_revoked"),
    ]


def test_a_register_that_no_server_uses_is_rechecked_too(
    desk: Desk, tmp_path: Path, party_of: PartyOf
) -> None:
    with desk.beside(tmp_path / "bank") as bank:
        party = party_of(bank)
        client_id = party.register().json["client_id"]
    revoke(bank, party)
    assert recheck(bank)["suspended"] == 1
    assert events(bank, client_id)[1:] == [("client.suspended", "cert_revoked")]


def test_the_register_is_enforced_and_followed(
    desk: Desk, tmp_path: Path, party_of: PartyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(*entities: object) -> None:
        file = write(tmp_path / "file.zip", document(entities), name="register.json")
        import_register(file, bank.folder / "register.db", at=datetime.now(UTC))

    monkeypatch.setenv("ENROL_REGISTER_MODE", "enforce")
    with desk.beside(tmp_path / "bank") as bank:
        party = party_of(bank)
        missing = party.send(party.token_draft())
        assert (missing.status, missing.code) == (503, "register_unavailable")
        publish(entity("FR_ACPR!777"))
        unknown = party.send(party.token_draft())
        assert (unknown.status, unknown.code) == (403, "psp_not_in_register")
        publish(entity(services={"FR": ["PS_080"]}))
        too_much = party.register()
        assert (too_much.status, too_much.code) == (403, "role_insufficient")
        registered = party.register(party.metadata(scope="aisp"))
        assert registered.status == 201
        client_id = registered.json["client_id"]
        publish(entity(changes=("2019-01-01", "2020-01-01")))
        assert recheck(bank)["suspended"] == 1
        assert ask_token(party, client_id).code in ("psp_not_authorised", "client_suspended")
        publish(entity())
        assert recheck(bank)["resumed"] == 1
        assert ask_token(party, client_id).status == 200


def test_a_doubt_of_the_register_is_written_down(
    desk: Desk, tmp_path: Path, party_of: PartyOf
) -> None:
    with desk.beside(tmp_path / "bank", register__mode="warn") as bank:
        client_id = party_of(bank).register().json["client_id"]
        (evidence,) = bank.rows("SELECT evidence FROM audit_events WHERE client_id = ?", client_id)[
            0
        ]
        assert json.loads(evidence)["register_doubt"] == "register_unavailable"
