"""A running bank believes its trusted lists, and what they say a second later."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live.desk import Desk
from live.party import Draft, Pair, Party, Reply

FAULTS_OF_QWAC = {
    "withdrawn-issuer": "cert_not_qualified_at_now",
    "not-qualified-at-issue": "cert_not_qualified_at_issue",
    "seal-only-issuer": "service_not_for_web",
}
FAULTS_OF_QSEALC = {
    "withdrawn-issuer": "cert_not_qualified_at_now",
    "not-qualified-at-issue": "cert_not_qualified_at_issue",
    "web-only-issuer": "service_not_for_eseal",
}


@pytest.mark.parametrize(("fault", "code"), FAULTS_OF_QWAC.items())
def test_a_qwac_is_refused_for_what_the_list_says(
    desk: Desk, acme: Party, new_pair: Callable[..., Pair], fault: str, code: str
) -> None:
    qwac = new_pair("qwac", roles=("PSP_AI", "PSP_PI"), faults=(fault,))
    party = Party(desk.port, acme.ca, acme.organization, qwac, acme.qsealc)
    reply = ask_token(party)
    party.close()
    assert (reply.status, reply.code) == (401, code)


@pytest.mark.parametrize(("fault", "code"), FAULTS_OF_QSEALC.items())
def test_a_qsealc_is_refused_for_what_the_list_says(
    desk: Desk, acme: Party, new_pair: Callable[..., Pair], fault: str, code: str
) -> None:
    qsealc = new_pair("qsealc", roles=("PSP_AI", "PSP_PI"), faults=(fault,))
    party = Party(desk.port, acme.ca, acme.organization, acme.qwac, qsealc)
    reply = party.register()
    party.close()
    assert (reply.status, reply.code) == (401, code)


@pytest.fixture
def bank(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A bank whose lists a test may change."""
    with desk.beside(tmp_path / "bank") as running:
        yield running


def ask_token(party: Party) -> Reply:
    return party.send(party.token_draft())


def ask_health(party: Party) -> Reply:
    return party.send(Draft("GET", "/health", [("Host", "localhost")]))


def relist(bank: Desk, *options: str) -> None:
    command = [sys.executable, "-m", "enrol", "sandbox", "relist", str(bank.folder), *options]
    subprocess.run(command, check=True, capture_output=True)


def wait_for(status: int, ask: Callable[[], int]) -> None:
    """Ask until the answer is there; a server looks at its snapshot once a second."""
    end = time.monotonic() + 20
    while (found := ask()) != status:
        assert time.monotonic() < end, f"still {found}"
        time.sleep(0.2)


def test_a_service_withdrawn_by_a_refresh_is_believed_no_more(
    bank: Desk, party_of: Callable[..., Party]
) -> None:
    party = party_of(bank)
    assert party.register().status == 201
    relist(bank, "--withdraw")
    wait_for(401, lambda: party.register().status)
    assert party.register().code == "cert_not_qualified_at_now"
    relist(bank)
    wait_for(201, lambda: party.register().status)


def test_a_bank_without_a_source_answers_503_and_says_why(
    desk: Desk, tmp_path: Path, party_of: Callable[..., Party]
) -> None:
    with desk.beside(tmp_path / "none", trust__source="none") as running:
        party = party_of(running)
        reply = ask_token(party)
        assert (reply.status, reply.code) == (503, "trust_list_unavailable")
        health = ask_health(party)
        assert (health.status, health.code) == (503, "trust_source_none")


def test_a_bank_without_a_snapshot_starts_and_makes_one(
    desk: Desk, tmp_path: Path, party_of: Callable[..., Party]
) -> None:
    bank = desk.beside(tmp_path / "alone")
    (bank.folder / "trust.snapshot").write_bytes(b"not one")
    with bank:
        party = party_of(bank)
        wait_for(200, lambda: ask_health(party).status)
        party.close()  # nobody asked for a certificate while there was no trust
        assert party.register().status == 201
        events = [json.loads(line) for line in bank.log_lines if line.startswith("{")]
        assert any(one.get("event") == "trust_refreshed" for one in events)
