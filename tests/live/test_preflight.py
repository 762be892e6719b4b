"""The examination of certificates by a running desk: everything is told, nothing is registered."""

import base64
import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from live.desk import Desk
from live.party import Draft, Pair, Party, Reply, issue

CHECK = "/stet/setting/v1/certificate-check"


def check(party: Party, content: bytes = b"", **fields: str) -> Reply:
    draft = Draft("POST", CHECK, [("Host", "localhost")], content)
    draft.set("Content-Length", str(len(content)))
    if content:
        draft.set("Content-Type", "application/json")
    for name, value in fields.items():
        draft.set(name.replace("_", "-"), value)
    return party.exchange(draft.to_bytes())


def body(der: bytes) -> bytes:
    return json.dumps({"certificate": base64.b64encode(der).decode()}).encode()


def statuses(certificate: dict[str, Any]) -> dict[int, str]:
    return {each["number"]: each["status"] for each in certificate["checks"]}


@pytest.fixture
def party_with(desk: Desk, acme: Party) -> Callable[[Pair], Party]:
    """Make a party of a QWAC that may be a bad one."""
    return lambda qwac: Party(
        desk.port, desk.folder / "server-ca.pem", acme.organization, qwac, acme.qsealc
    )


def test_a_connection_is_examined_without_token_or_signature(desk: Desk, acme: Party) -> None:
    before = desk.count_clients()
    reply = check(acme, X_Request_ID="pf-1")
    assert (reply.status, reply.fields["x-request-id"]) == (200, "pf-1")
    assert reply.json["status"] == "passed"
    (qwac,) = reply.json["certificates"]
    assert qwac["facts"]["organization_identifiers"] == [acme.organization]
    assert statuses(qwac)[27] == "passed"
    assert desk.count_clients() == before


def test_a_qsealc_is_examined_beside_it(acme: Party) -> None:
    pem = ssl.DER_cert_to_PEM_cert(acme.qsealc.der)
    for content in (body(acme.qsealc.der), json.dumps({"certificate": pem}).encode()):
        found = check(acme, content).json
        assert found["status"] == "passed"
        assert [one["use"] for one in found["certificates"]] == ["qwac", "qsealc"]
        assert found["together"][0]["status"] == "passed"


def test_a_qsealc_of_another_organisation_fails_the_pair(acme: Party, rival: Party) -> None:
    found = check(acme, body(rival.qsealc.der)).json
    assert [one["status"] for one in found["certificates"]] == ["passed", "passed"]
    assert found["together"][0]["code"] == "certificates_disagree"
    assert found["status"] == "failed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("expired", "cert_expired"),
        ("no-role", "psd2_no_role"),
        ("no-psd2-statement", "psd2_statement_missing"),
        ("revoked", "cert_revoked"),
        ("withdrawn-issuer", "cert_not_qualified_at_now"),
    ],
)
def test_a_bad_qwac_is_answered_with_what_is_wrong(
    new_pair: Callable[..., Pair],
    party_with: Callable[[Pair], Party],
    fault: str,
    code: str,
) -> None:
    reply = check(party_with(new_pair("qwac", roles=("PSP_AI",), faults=(fault,))))
    assert reply.status == 200
    (qwac,) = reply.json["certificates"]
    assert (qwac["status"], qwac["refused_by"]) == ("failed", code)
    failed = next(each for each in qwac["checks"] if each["code"] == code)
    assert failed["remedy"]
    assert failed["clause"]


def test_without_a_certificate_nobody_is_examined(desk: Desk, acme: Party) -> None:
    party = Party(desk.port, desk.folder / "server-ca.pem", "", None, acme.qsealc)
    reply = check(party, body(acme.qsealc.der))
    assert (reply.status, reply.code) == (401, "client_certificate_missing")


@pytest.mark.parametrize("text", ["", "hello", "AAAA", "%%%", "MIIC" * 5000, "\u0000"])
def test_what_is_no_certificate_fails_the_first_check(acme: Party, text: str) -> None:
    reply = check(acme, json.dumps({"certificate": text}).encode())
    assert reply.status == 200
    assert statuses(reply.json["certificates"][1])[1] == "failed"


@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        (b"{", {}, "json_malformed"),
        (b'{"certificate": 1}', {}, "member_wrong_type"),
        (b"{}", {"Content_Type": "text/plain"}, "content_type_not_json"),
        (b"{}", {"Client_Cert": ":AAAA:"}, "certificate_claimed"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(
    acme: Party, content: bytes, fields: dict[str, str], code: str
) -> None:
    reply = check(acme, content, **fields)
    assert (reply.status, reply.code) == (400, code)


def test_a_body_without_certificate_is_that_of_the_connection_alone(acme: Party) -> None:
    assert len(check(acme, b'{"certificate": null, "other": 1}').json["certificates"]) == 1


def test_other_methods_are_not_for_it(acme: Party) -> None:
    draft = Draft("GET", CHECK, [("Host", "localhost")])
    reply = acme.exchange(draft.to_bytes())
    assert (reply.status, reply.fields["allow"]) == (405, "POST")


def test_failing_certificates_are_bounded_in_number(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with Desk(
        tmp_path_factory.mktemp("bounded") / "sandbox",
        settings={"limits.rates": "on", "limits.failures_per_minute": 3},
    ) as bank:
        seal = issue(bank.folder, "qsealc", "PSDFR-ACPR-12345")
        old = issue(bank.folder, "qwac", "PSDFR-ACPR-12345", faults=("expired",))
        party = Party(bank.port, bank.folder / "server-ca.pem", "", old, seal)
        found = [check(party).status for _ in range(5)]
        assert bank.stop() == 0
    assert found == [200, 200, 200, 429, 429]
