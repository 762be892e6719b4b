"""What a bank decided is proved later from its audit trail, and no change of it goes unseen."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from enrol.adapters.trail import open_trail
from enrol.registration.chain import GENESIS, chain_hash
from enrol.registration.kept import blob
from enrol.registration.rejudge import EvidenceJudge
from enrol.registration.review import FaultKind, Finding, Review, review_trail
from live.desk import Desk
from live.party import Party

RIVAL = "PSDFR-ACPR-22222"
YEARS = 5 * 365 * 86_400_000


@pytest.fixture(scope="module")
def kept(
    desk: Desk, party_of: Callable[..., Party], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """The register of a bank that decided all there is to decide, closed."""
    folder = tmp_path_factory.mktemp("audited") / "bank"
    with desk.beside(folder) as bank:
        party, rival = party_of(bank), party_of(bank, RIVAL)
        client_id = party.register().json["client_id"]
        other = rival.register().json["client_id"]
        assert party.put(client_id, party.metadata(client_id=client_id)).status == 200
        assert party.get(other).status == 403
        assert party.register(party.metadata(redirect_uris=["http://tpp.test"])).status == 400
        assert party.send(party.post().set("X-Request-ID", "another")).status == 401
        assert party.delete(client_id).status == 204
        assert bank.stop() == 0
        yield bank.database


@pytest.fixture
def database(kept: Path, tmp_path: Path) -> Path:
    """A copy of that register, to be tampered with."""
    copy = tmp_path / "enrol.db"
    copy.write_bytes(kept.read_bytes())
    return copy


def review(database: Path) -> Review:
    with open_trail(database) as trail:
        return review_trail(trail, EvidenceJudge(trail))


def audit(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "enrol", "audit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rewrite(database: Path, event: int, **changes: Any) -> None:
    """Change columns of an event and hash the whole trail anew, as a clever forger does."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for name, value in changes.items():
            connection.execute(f"UPDATE audit_events SET {name} = ? WHERE id = ?", (value, event))
        previous = GENESIS
        for *columns, _ in connection.execute("SELECT * FROM audit_events ORDER BY id").fetchall():
            previous = chain_hash(previous, tuple(columns))
            hashed = "UPDATE audit_events SET hash = ? WHERE id = ?"
            connection.execute(hashed, (previous, columns[0]))


def columns(database: Path, kind: str = "client.registered") -> dict[str, Any]:
    """Return the first event of a type."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        sql = "SELECT * FROM audit_events WHERE type = ? ORDER BY id"
        return dict(connection.execute(sql, (kind,)).fetchone())


def forge(database: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Any]:
    """Change the first registration and return what is found."""
    event = columns(database)
    rewrite(database, event["id"], **change(event))
    faults = review(database).faults
    assert {fault.event for fault in faults} == {event["id"]}
    return [(fault.kind, fault.detail) for fault in faults]


def evidence(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"evidence": json.dumps(json.loads(event["evidence"]) | changes)}


def body(event: dict[str, Any]) -> bytes:
    return bytes(event["request"]).partition(b"\r\n\r\n")[2]


# A running bank


def test_a_registration_verifies_while_the_server_runs(desk: Desk, acme: Party) -> None:
    client_id = acme.register().json["client_id"]
    config = desk.folder / "enrol.toml"
    shown = audit("show", client_id, "-c", config, "--json")
    event = json.loads(shown.stdout)
    assert (event["type"], event["finding"]) == ("client.registered", "verified")
    assert event["verdicts"]["qsealc_verdict"]["psp_roles"] == ["PSP_AI", "PSP_PI"]
    verified = audit("verify", "-c", config, "--expect-head", event["hash"])
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert acme.register().status == 201


def test_every_decision_is_judged_again_as_it_was(kept: Path) -> None:
    result = review(kept)
    assert (result.wrong, result.found) == (0, {Finding.UNSIGNED: 3, Finding.VERIFIED: 6})


def test_certificates_and_what_issuers_said_are_kept_once(kept: Path) -> None:
    with closing(sqlite3.connect(kept)) as connection:
        contents = [row[0] for row in connection.execute("SELECT content FROM evidence_blobs")]
    verdicts = [json.loads(content) for content in contents if b'"issuers"' in content[:300]]
    assert len(verdicts) == 4  # two certificates of each party
    assert all(verdict["issuers"] and verdict["revocation"] for verdict in verdicts)
    assert len(contents) == len(set(contents))


def test_the_head_is_logged_when_the_server_stops(kept: Path) -> None:
    log = kept.parent.parent / "bank.log"
    last = json.loads(log.read_text().splitlines()[-1])
    head = review(kept).head
    assert (last["event"], last["events"], last["hash"]) == (
        "audit_head",
        head.id,
        head.hash.hex(),
    )


def test_no_secret_and_nothing_of_a_stranger_is_kept(kept: Path) -> None:
    refused = columns(kept, "request.refused")
    assert refused["request"] is not None  # the one that was verified and not entitled
    with closing(sqlite3.connect(kept)) as connection:
        rows = connection.execute("SELECT * FROM audit_events").fetchall()
    strangers = [row for row in rows if row[3] == "SIG-1"]
    assert [row[8] for row in strangers] == [None]
    assert "Bearer" not in repr(rows)


# Forgers who hash everything anew


def test_a_forged_body_is_found(database: Path) -> None:
    found = forge(database, lambda event: {"request": event["request"].replace(b"Acme", b"Evil")})
    assert found == [(FaultKind.SIGNATURE_REFUSED, "DIG-9")]


def test_a_forged_body_with_its_digest_withheld_is_found(database: Path) -> None:
    def change(event: dict[str, Any]) -> dict[str, Any]:
        request = event["request"].replace(b"SHA-256=", b"SHA-256=A").replace(body(event), b"")
        return {"request": request} | evidence(event, withheld=["body"])

    assert forge(database, change) == [(FaultKind.SIGNATURE_REFUSED, "SIG-1")]


def test_a_forged_target_is_found(database: Path) -> None:
    found = forge(
        database, lambda event: {"request": event["request"].replace(b"/register", b"/registers")}
    )
    assert found == [(FaultKind.SIGNATURE_REFUSED, "SIG-1")]


def test_a_request_put_to_another_event_is_found(database: Path) -> None:
    other = columns(database, "client.updated")
    found = forge(database, lambda _: {"request": other["request"]})
    assert found == [(FaultKind.REQUEST_OF_ANOTHER, None)]


def test_another_organisation_is_found(database: Path) -> None:
    [(kind, _)] = forge(database, lambda _: {"organization_identifier": RIVAL})
    assert kind is FaultKind.CERTIFICATE_OF_ANOTHER


def test_certificates_of_another_party_are_found(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        sql = "SELECT evidence FROM audit_events WHERE organization_identifier = ?"
        other = json.loads(connection.execute(sql, (RIVAL,)).fetchone()[0])
    found = forge(database, lambda event: evidence(event, qsealc_verdict=other["qwac_verdict"]))
    assert found[0][0] is FaultKind.CERTIFICATE_OF_ANOTHER


def test_another_time_is_found(database: Path) -> None:
    found = forge(database, lambda event: {"at": event["at"] + YEARS})
    assert found[0][0] is FaultKind.CERTIFICATE_NOT_VALID


@pytest.mark.parametrize(
    "changes", [{"signature_mode": "rfc9421"}, {"signature_warnings": ["empty_headers"]}]
)
def test_another_verdict_on_the_signature_is_found(database: Path, changes: dict[str, Any]) -> None:
    found = forge(database, lambda event: evidence(event, **changes))
    assert found == [(FaultKind.SIGNATURE_OTHERWISE, None)]


@pytest.mark.parametrize("text", ["[]", "", "{", '{"qwac_verdict":1}', '{"qwac_verdict":"zz"}'])
def test_evidence_that_cannot_be_read_is_found(database: Path, text: str) -> None:
    found = forge(database, lambda _: {"evidence": text})
    assert found == [(FaultKind.EVIDENCE_UNREADABLE, None)]


@pytest.mark.parametrize("at", [2**62, -(2**62), 1.5, "then"])
def test_a_time_that_is_none_is_found(database: Path, at: Any) -> None:
    assert forge(database, lambda _: {"at": at})[0][0] is FaultKind.EVIDENCE_UNREADABLE


@pytest.mark.parametrize("request_kept", [b"", b"garbage", b"\xff / HTTP/1.1\r\n\r\n"])
def test_a_request_that_cannot_be_read_is_found(database: Path, request_kept: bytes) -> None:
    found = forge(database, lambda _: {"request": request_kept})
    assert found == [(FaultKind.REQUEST_UNREADABLE, None)]


@pytest.mark.parametrize("member", ["qwac_verdict", "qsealc_verdict", "signature_policy"])
def test_evidence_that_was_removed_is_found(database: Path, member: str) -> None:
    digest = json.loads(columns(database)["evidence"])[member]
    with closing(sqlite3.connect(database)) as connection, connection:
        sql = "DELETE FROM evidence_blobs WHERE sha256 = ?"
        connection.execute(sql, (bytes.fromhex(digest),))
    faults = review(database).faults
    assert {(fault.kind, fault.detail) for fault in faults} == {(FaultKind.BLOB_MISSING, digest)}


def test_a_certificate_put_in_place_of_another_is_found(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE evidence_blobs SET content = x'3000' WHERE id = 1")
    assert FaultKind.BLOB_CHANGED in [fault.kind for fault in review(database).faults]


@pytest.mark.parametrize(
    ("member", "forged", "kind"),
    [
        ("issuers", lambda verdict: [verdict["certificate"]], FaultKind.ISSUER_REFUTED),
        ("revocation", lambda _: [], FaultKind.REVOCATION_REFUTED),
        ("organization_identifier", lambda _: RIVAL, FaultKind.CERTIFICATE_OF_ANOTHER),
        ("use", lambda _: 7, FaultKind.EVIDENCE_UNREADABLE),
    ],
    ids=["issuer", "revocation", "organisation", "type"],
)
def test_a_verdict_put_in_place_of_another_is_found(
    database: Path, member: str, forged: Callable[[dict[str, Any]], Any], kind: FaultKind
) -> None:
    """A verdict under its own right digest, in a chain that was hashed anew."""
    digest = bytes.fromhex(json.loads(columns(database)["evidence"])["qwac_verdict"])
    with closing(sqlite3.connect(database)) as connection, connection:
        sql = "SELECT content FROM evidence_blobs WHERE sha256 = ?"
        verdict = json.loads(connection.execute(sql, (digest,)).fetchone()[0])
        kept = blob(json.dumps(verdict | {member: forged(verdict)}).encode())
        insert = "INSERT INTO evidence_blobs (sha256, content) VALUES (?, ?)"
        connection.execute(insert, (kept.sha256, kept.content))
    found = forge(database, lambda event: evidence(event, qwac_verdict=kept.sha256.hex()))
    assert [fault for fault, _ in found] == [kind]
