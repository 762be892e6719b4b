"""Modes and known mistakes by caller, and answers that the bank signs."""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from enrol.client import Profile, TppClient, UnbelievedAnswerError, load_profile
from live.desk import Desk
from live.party import TOKEN, Draft, Party, Reply

ACME, MODERN, CUT = "PSDFR-ACPR-12345", "PSDFR-ACPR-22222", "PSDFR-ACPR-33333"
CALLERS = f"""{{
    "{ACME}" = {{quirks = ["put_signed_as_post", "empty_headers", "algorithm_alias"]}},
    "{MODERN}" = {{modes = ["rfc9421"]}},
    "{CUT}" = {{quirks = ["stripped_prefix"]}},
}}"""
SEAL = {
    "signatures__response_key": "bank/seal.key",
    "signatures__response_certificate": "bank/seal.pem",
}


@pytest.fixture(scope="module")
def lenient(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A bank that treats three organisations each in its way, and signs its answers."""
    folder = tmp_path_factory.mktemp("lenient") / "bank"
    callers = CALLERS.replace("\n", " ").replace(", }", "}")
    with desk.beside(folder, signatures__clients=callers, **SEAL) as bank:
        yield bank


@pytest.fixture(scope="module")
def of(lenient: Desk, party_of: Callable[..., Party]) -> Callable[[str], Party]:
    """Return the party of an organisation at the lenient bank."""
    parties: dict[str, Party] = {}

    def party(organization: str) -> Party:
        if organization not in parties:
            parties[organization] = party_of(lenient, organization)
        return parties[organization]

    return party


def rfc9421(party: Party, draft: Draft) -> Draft:
    """Sign a request by RFC 9421, written by hand from its text."""
    covered = ["@method", "@authority", "@path", "x-request-id"]
    values = {"@method": draft.method, "@authority": "localhost", "@path": draft.target}
    values["x-request-id"] = draft.get("x-request-id") or ""
    if draft.method in ("POST", "PUT"):
        digest = base64.b64encode(hashlib.sha256(draft.body).digest()).decode()
        values["content-digest"] = f"sha-256=:{digest}:"
        draft.set("Content-Digest", values["content-digest"])
        covered.append("content-digest")
    names = " ".join(f'"{name}"' for name in covered)
    parameters = f'({names});created={int(time.time())};keyid="{party.kid}"'
    lines = [f'"{name}": {values[name]}' for name in covered]
    base = "\n".join([*lines, f'"@signature-params": {parameters}'])
    signature = base64.b64encode(party.qsealc.sign(base.encode())).decode()
    draft.set("Signature-Input", f"sig1={parameters}")
    return draft.set("Signature", f"sig1=:{signature}:")


def evidence(bank: Desk, client_id: str) -> dict[str, Any]:
    """Return what is on record of the last change of a client."""
    sql = "SELECT evidence FROM audit_events WHERE client_id = ? ORDER BY id DESC LIMIT 1"
    return dict(json.loads(bank.rows(sql, client_id)[0][0]))


def warnings(bank: Desk, draft: Draft) -> list[list[str]]:
    """Return the quirks the log warns of for a request."""
    lines = [json.loads(line) for line in bank.log_lines if '"signature_quirk"' in line]
    sent = draft.get("x-request-id")
    return [line["quirks"] for line in lines if line["request_id"] == sent]


# Modes


def test_an_organisation_may_be_made_to_sign_by_rfc9421(
    lenient: Desk, of: Callable[[str], Party]
) -> None:
    party = of(MODERN)
    reply = party.send(rfc9421(party, party.draft("POST", body=party.metadata())))
    assert reply.status == 201, reply
    assert evidence(lenient, reply.json["client_id"])["signature_mode"] == "rfc9421"
    read = rfc9421(party, party.draft("GET", reply.json["client_id"]))
    assert party.send(read).status == 200


def test_a_mode_that_is_not_the_callers_is_refused(of: Callable[[str], Party]) -> None:
    modern, acme = of(MODERN), of(ACME)
    assert modern.register().code == "M-CAR"
    draft = rfc9421(acme, acme.draft("POST", body=acme.metadata()))
    assert acme.send(draft).code == "CAR-4"


def test_the_mode_is_on_record_with_the_registration(desk: Desk, acme: Party) -> None:
    client_id = acme.register().json["client_id"]
    on_record = evidence(desk, client_id)
    assert (on_record["signature_mode"], on_record["signature_warnings"]) == ("cavage", [])


def test_a_client_may_differ_from_its_organisation_and_only_its_own_is_told(
    desk: Desk, party_of: Callable[..., Party], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with desk.beside(tmp_path_factory.mktemp("particular") / "bank") as bank:
        party = party_of(bank)
        one, two = (party.register().json["client_id"] for _ in range(2))
        bank.stop()
        bank.settings["signatures.clients"] = f'{{"{one}" = {{modes = ["rfc9421"]}}}}'
        bank.start()
        party, rival = party_of(bank), party_of(bank, MODERN)
        assert party.send(rfc9421(party, party.draft("GET", one))).status == 200
        assert party.get(one).code == "M-CAR"
        assert party.get(two).status == 200
        rival.register()
        assert rival.send(rfc9421(rival, rival.draft("GET", one))).code == "CAR-4"
        assert rival.get(one).code == rival.get("0" * 32).code == "client_not_yours"


def test_the_same_signature_under_another_input_is_no_repetition(
    of: Callable[[str], Party],
) -> None:
    party = of(MODERN)
    draft = rfc9421(party, party.draft("POST", body=party.metadata()))
    assert party.send(draft).status == 201
    assert party.send(draft).status == 201
    changed = draft.get("Signature-Input") or ""
    draft.set("Signature-Input", changed.replace(";created=", ";created=1"))
    assert party.send(draft).status == 401


# Known mistakes


def put_signed_as_post(party: Party, client_id: str) -> Draft:
    draft = party.draft("PUT", client_id, party.metadata(client_id=client_id))
    draft.method = "POST"
    party.signed(draft).method = "PUT"
    return draft


def empty_headers(party: Party, client_id: str) -> Draft:
    draft = party.signed(party.draft("PUT", client_id, party.metadata(client_id=client_id)))
    signature = base64.b64encode(party.qsealc.sign(b"")).decode()
    return draft.set(
        "Signature",
        f'keyId="{party.kid}",algorithm="rsa-sha256",headers="",signature="{signature}"',
    )


def algorithm_alias(party: Party, client_id: str) -> Draft:
    draft = party.draft("PUT", client_id, party.metadata(client_id=client_id))
    return party.signed(draft, algorithm="SHA256withRSA")


def stripped_prefix(party: Party, client_id: str) -> Draft:
    draft = party.draft("PUT", client_id, party.metadata(client_id=client_id))
    whole = draft.target
    draft.target = f"/register/{client_id}"
    party.signed(draft).target = whole
    return draft


QUIRKS = [
    pytest.param(put_signed_as_post, "SIG-1", id="PUT signed as POST"),
    pytest.param(empty_headers, "HDR-2", id="empty headers"),
    pytest.param(algorithm_alias, "ALG-1", id="algorithm by another name"),
    pytest.param(stripped_prefix, "SIG-1", id="prefix left out"),
]


def registered(party: Party, organization: str) -> str:
    """Register a client in the way its organisation signs, and return its id."""
    draft = party.draft("POST", body=party.metadata())
    if organization == CUT:
        whole, draft.target = draft.target, "/register"
        party.signed(draft).target = whole
    else:
        party.signed(draft)
    return str(party.send(draft).json["client_id"])


@pytest.mark.parametrize(("make", "code"), QUIRKS)
def test_a_known_mistake_passes_where_it_is_named_and_is_told_in_log_and_audit(
    lenient: Desk, of: Callable[[str], Party], make: Callable[[Party, str], Draft], code: str
) -> None:
    organization = CUT if make is stripped_prefix else ACME
    party = of(organization)
    client_id = registered(party, organization)
    draft = make(party, client_id)
    reply = party.send(draft)
    assert reply.status == 200, reply
    assert evidence(lenient, client_id)["signature_warnings"] == [make.__name__]
    assert warnings(lenient, draft) == [[make.__name__]]


@pytest.mark.parametrize(("make", "code"), QUIRKS)
def test_a_known_mistake_is_refused_where_it_is_not_named(
    acme: Party, make: Callable[[Party, str], Draft], code: str
) -> None:
    client_id = acme.register().json["client_id"]
    reply = acme.send(make(acme, client_id))
    assert (reply.status, reply.code) == (401, code)


def test_who_signs_right_is_not_warned_of(lenient: Desk, of: Callable[[str], Party]) -> None:
    acme = of(ACME)
    draft = acme.post()
    client_id = acme.send(draft).json["client_id"]
    assert evidence(lenient, client_id)["signature_warnings"] == []
    assert warnings(lenient, draft) == []


# Answers that the bank signs


def check_seal(bank: Desk, draft: Draft, reply: Reply) -> None:
    """Verify the signature of an answer by hand."""
    fields, signature = reply.fields, reply.fields["signature"]
    parameters = dict(
        part.replace('"', "").split("=", 1) for part in signature.split('",') if "=" in part
    )
    has_body = reply.status != 204
    names = parameters["headers"].split(" ")
    expected = {"digest", "date", "x-request-id", "(request-target)"}
    assert set(names) == expected | ({"content-type"} if has_body else set())
    assert fields["x-request-id"] == draft.get("x-request-id")
    assert fields["digest"] == "SHA-256=" + base64.b64encode(
        hashlib.sha256(reply.body).digest()
    ).decode("ascii")
    assert abs(parsedate_to_datetime(fields["date"]).timestamp() - time.time()) < 60
    values = fields | {"(request-target)": f"{draft.method.lower()} {draft.target}"}
    signed = "\n".join(f"{name}: {values[name]}" for name in names)
    certificate = x509.load_pem_x509_certificate((bank.folder / "bank/seal.pem").read_bytes())
    assert parameters["keyId"] == str(certificate.serial_number)
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    key.verify(
        base64.b64decode(parameters["signature"]),
        signed.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )


def test_every_answer_of_the_registration_endpoint_is_signed(
    lenient: Desk, of: Callable[[str], Party]
) -> None:
    acme = of(ACME)
    client_id = acme.register().json["client_id"]
    drafts = {
        201: acme.post(),
        200: acme.signed(acme.draft("GET", client_id)),
        400: acme.post(b"{}"),
        401: acme.draft("GET", client_id),
        403: acme.signed(acme.draft("GET", "0" * 32)),
        405: acme.signed(acme.draft("PATCH", client_id)),
        406: acme.signed(acme.draft("GET", client_id).set("Accept", "text/html")),
        204: acme.signed(acme.draft("DELETE", client_id)),
    }
    drafts[401].set("Authorization", "Bearer none").set("Signature", "none")
    for status, draft in drafts.items():
        reply = acme.send(draft)
        assert reply.status == status, reply
        check_seal(lenient, draft, reply)


def test_other_answers_are_not_signed(of: Callable[[str], Party]) -> None:
    acme = of(ACME)
    assert "signature" not in acme.send(acme.token_draft()).fields
    elsewhere = [Draft("GET", path, [("Host", "localhost")]) for path in ("/health", TOKEN)]
    assert all("signature" not in acme.send(draft).fields for draft in elsewhere)


def test_a_bank_signs_nothing_unless_told_to(acme: Party) -> None:
    reply = acme.register()
    assert {"signature", "digest"}.isdisjoint(reply.fields)
    assert parsedate_to_datetime(reply.fields["date"]).tzinfo is not None


def demanding_profile(bank: Desk) -> Profile:
    """Return the TPP's profile, but that it demands signed answers."""
    path = bank.folder / "tpp" / "demanding.toml"
    text = (bank.folder / "tpp" / "profile.toml").read_text("utf-8")
    path.write_text(text.replace("[tpp]", "seal_required = true\n\n[tpp]"), "utf-8")
    return load_profile(path, bank_url=f"https://127.0.0.1:{bank.port}")


def test_the_client_takes_answers_with_the_seal_it_knows(lenient: Desk) -> None:
    profile = demanding_profile(lenient)
    with TppClient(profile.bank, profile.credentials) as client:
        registered_ = client.register(profile.metadata)
        assert client.show(registered_.client_id).client_id == registered_.client_id
        client.delete(registered_.client_id)


def test_the_client_refuses_answers_without_the_seal_it_demands(desk: Desk) -> None:
    profile = demanding_profile(desk)
    with TppClient(profile.bank, profile.credentials) as client:
        with pytest.raises(UnbelievedAnswerError) as refusal:
            client.register(profile.metadata)
    assert refusal.value.code == "bank_signature_missing"
