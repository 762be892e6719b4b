"""Whether a certificate was revoked is asked of its issuer, and silence is no consent."""

import json
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enrol.sandbox.folder import open_sandbox
from live.desk import Desk
from live.party import Pair, Party
from live.served import until

LISTS_OFF = {"trust__revocation_lists": ""}


def dead_port() -> int:
    """Return a port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def silent(folder: Path, desk: Desk, **settings: object) -> Desk:
    """Return a bank whose QTSP answers no more, not started."""
    hosts = f'{{"qtsp.example" = "127.0.0.1:{dead_port()}"}}'
    return desk.beside(folder, revocation__hosts=hosts, **LISTS_OFF, **settings)


@pytest.fixture(scope="module")
def asking(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that has no list at hand, so that all it knows comes from the QTSP's site."""
    folder = tmp_path_factory.mktemp("asking") / "bank"
    with desk.beside(folder, revocation__ocsp_minutes="0.0005", **LISTS_OFF) as bank:
        yield bank


def events_of(desk: Desk, kind: str) -> list[dict[str, object]]:
    rows = desk.rows("SELECT evidence FROM audit_events WHERE type = ? ORDER BY id", kind)
    return [json.loads(row[0]) for row in rows]


def verdict_on_qwac(desk: Desk, kind: str) -> dict[str, object]:
    """Return what was kept of the verdict on the QWAC of the last event of a kind."""
    digest = bytes.fromhex(str(events_of(desk, kind)[-1]["qwac_verdict"]))
    (row,) = desk.rows("SELECT content FROM evidence_blobs WHERE sha256 = ?", digest)
    return dict(json.loads(row[0]))


def test_a_certificate_is_good_by_its_responder(
    asking: Desk, party_of: Callable[..., Party]
) -> None:
    assert party_of(asking).register().status == 201
    kept = verdict_on_qwac(asking, "client.registered")
    assert [answer["kind"] for answer in kept["revocation"]] == ["ocsp"]  # type: ignore[attr-defined]  # JSON
    assert kept["deviations"] == []


def test_a_certificate_revoked_since_is_refused(
    asking: Desk, party_of: Callable[..., Party]
) -> None:
    party = party_of(asking, "PSDFR-ACPR-44444")
    client_id = party.register().json["client_id"]
    assert party.qwac is not None
    revoke(asking, party.qwac)
    until(lambda: party.get(client_id).status != 200)  # an answer is kept for 30 ms
    reply = party.get(client_id)
    assert (reply.status, reply.code) == (401, "cert_revoked")


def revoke(bank: Desk, pair: Pair) -> None:
    """Revoke a certificate at the QTSP whose site the bank asks."""
    sandbox = open_sandbox(bank.folder)
    sandbox.revoke(pair.certificate.serial_number, at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("ocsp-revoked", 401, "cert_revoked"),
        ("ocsp-unknown", 503, "revocation_unknown"),
        ("ocsp-stale", 503, "revocation_unknown"),
        ("ocsp-forged", 503, "revocation_unknown"),
        ("no-revocation-info", 503, "revocation_unknown"),
    ],
)
def test_the_faults_of_a_sandbox_are_answered_by_their_rule(
    desk: Desk, acme: Party, new_pair: Callable[..., Pair], fault: str, status: int, code: str
) -> None:
    pair = new_pair("qwac", faults=(fault,))
    party = Party(desk.port, desk.folder / "server-ca.pem", acme.organization, pair, acme.qsealc)
    reply = party.send(party.token_draft())
    assert (reply.status, reply.code) == (status, code)
    if status == 503:
        assert int(reply.fields["retry-after"]) > 0
    party.close()


def test_nobody_is_believed_while_the_responder_is_down(
    desk: Desk, party_of: Callable[..., Party], folder: Path
) -> None:
    with silent(folder, desk) as bank:
        party = party_of(bank)
        party.use_token("A" * 43)
        for _ in range(2):
            reply = party.send(party.post())
            assert (reply.status, reply.code) == (503, "revocation_unknown")
        assert bank.count_clients() == 0
        asked = [line for line in bank.log_lines if "revocation_unreachable" in line]
        assert len(asked) == 2  # the responder and the list, once for both requests


def test_a_bank_may_let_the_unchecked_in_and_says_so(
    desk: Desk, party_of: Callable[..., Party], folder: Path
) -> None:
    with silent(folder, desk, revocation__mode="warn") as bank:
        assert any("revocation_not_required" in line for line in bank.log_lines)
        assert party_of(bank).register().status == 201
        kept = verdict_on_qwac(bank, "client.registered")
        assert kept["deviations"] == ["revocation_unchecked"]
        assert kept["revocation"] == []


def test_a_revoked_certificate_is_refused_where_the_unchecked_are_let_in(
    desk: Desk, party_of: Callable[..., Party], folder: Path, new_pair: Callable[..., Pair]
) -> None:
    with desk.beside(folder, revocation__mode="warn", **LISTS_OFF) as bank:
        pair = new_pair("qwac", faults=("ocsp-revoked",))
        party = party_of(bank)
        ca, organization = bank.folder / "server-ca.pem", party.organization
        other = Party(bank.port, ca, organization, pair, party.qsealc)
        reply = other.send(other.token_draft())
        assert (reply.status, reply.code) == (401, "cert_revoked")
        other.close()
