"""What real clients send: their bodies parse, and register once certificates are exchanged."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from enrol.oauth.metadata import parse_client_metadata
from enrol.oauth.strict_json import parse_json_object
from live.desk import Desk
from live.party import Party, Reply
from vectors import vectors

BODIES = ("bpce-post", "bpce-put", "lcl-post", "lcl-put", "bnp-post", "bnp-put")
HOST = "https://test.qseal.certificate.com"
BNP_COVERED = ("(request-target)", "content-type", "accept", "x-request-id", "digest")
YOLT = "PSDNL-DNB-33031431"


def body_of(name: str) -> bytes:
    return vectors("bodies", f"{name}.json").read_bytes()


def with_certificates_of(party: Party, body: bytes, **changes: Any) -> bytes:
    """Return a client's body with the party's certificate and organisation; order stays."""
    document = json.loads(body)
    key = document["jwks"]["keys"][0]
    modulus = party.qsealc.key.public_key().public_numbers().n
    own: dict[str, Any] = {
        "n": base64url(modulus.to_bytes((modulus.bit_length() + 7) // 8, "big")),
        "kid": party.kid,
        "x5c": [base64.b64encode(party.qsealc.der).decode()],
        "x5t#S256": party.metadata()["jwks"]["keys"][0]["x5t#S256"],
    }
    key.update({member: value for member, value in own.items() if member in key})
    document.update(provider_legal_id=party.organization, **changes)
    return json.dumps(document, separators=(",", ":")).encode()


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def register(party: Party, body: bytes, **signature: Any) -> Reply:
    return party.send(party.signed(party.draft("POST", body=body), **signature))


@pytest.fixture
def yolt(desk: Desk, party_of: Callable[..., Party]) -> Party:
    """The organisation whose bodies they are."""
    return party_of(desk, YOLT)


@pytest.mark.parametrize("name", BODIES)
def test_a_real_body_is_the_one_its_client_digested(name: str) -> None:
    index = json.loads(vectors("bodies", "index.json").read_bytes())
    digest = base64.b64encode(hashlib.sha256(body_of(name)).digest()).decode()
    assert index[name]["digest"] == f"SHA-256={digest}"


@pytest.mark.parametrize("name", BODIES)
def test_a_real_body_parses_with_nothing_lost(name: str) -> None:
    document = parse_json_object(body_of(name))
    metadata = parse_client_metadata(document)
    for member in document.keys() - {"jwks", "contact", "client_id", "context"}:
        value = getattr(metadata, member)
        assert (list(value) if isinstance(value, tuple) else value) == document[member]
    assert metadata.jwks is not None
    assert metadata.jwks.keys[0].x5c is not None


@pytest.mark.parametrize("name", ["bpce-post", "lcl-post"])
def test_a_real_body_registers(yolt: Party, name: str) -> None:
    body = with_certificates_of(yolt, body_of(name))
    reply = register(yolt, body)
    assert reply.status == 201, reply
    sent = json.loads(body)
    sent["jwks"]["keys"][0].pop("keys_ops", None)  # the client's typo; no member of a key
    sent["scope"] = sent["scope"].replace(",", " ")
    assert {member: reply.json.get(member) for member in sent} == sent


def test_a_real_update_replaces_a_real_registration(yolt: Party) -> None:
    body = with_certificates_of(yolt, body_of("bpce-post"))
    client_id = register(yolt, body).json["client_id"]
    body = with_certificates_of(yolt, body_of("bpce-put"), client_id=client_id)
    reply = yolt.send(yolt.signed(yolt.draft("PUT", client_id, body)))
    assert (reply.status, reply.json["contact"]) == (200, json.loads(body)["contact"])


def test_a_signature_of_the_request_line_alone_needs_its_banks_dialect(yolt: Party) -> None:
    body = with_certificates_of(yolt, body_of("lcl-post"))
    reply = register(yolt, body, covered=("(request-target)",))
    assert (reply.status, reply.code) == (401, "COV-2")


def test_a_key_type_that_is_none_needs_its_banks_dialect(yolt: Party) -> None:
    body = with_certificates_of(yolt, body_of("bnp-post"))
    reply = register(yolt, body, covered=BNP_COVERED)
    assert (reply.status, reply.json["error"]) == (400, "invalid_client_metadata")
    assert [finding["code"] for finding in reply.json["findings"]] == ["jwk_kty"]
    body = body.replace(b'"kty":"RS256"', b'"kty":"RSA"')
    reply = register(yolt, body, covered=BNP_COVERED)
    assert reply.status == 201, reply


def fingerprint(party: Party) -> str:
    return hashlib.sha1(party.qsealc.der).digest().hex(":")


@pytest.mark.parametrize(
    "keyid_of",
    [
        lambda party: f"{HOST}/{fingerprint(party)}.pem",
        lambda party: f"{HOST}/{fingerprint(party).upper()}.pem",
        lambda party: f"{HOST}/yolt.pem",
        lambda party: f"{HOST}/yolt_{hashlib.sha256(party.qsealc.der).hexdigest()}",
    ],
    ids=["sha1 of the certificate", "in capitals", "no fingerprint", "sha256 of the certificate"],
)
def test_a_url_as_keyid_names_the_certificate_in_the_body(
    yolt: Party, keyid_of: Callable[[Party], str]
) -> None:
    keyid = keyid_of(yolt)
    body = with_certificates_of(yolt, body_of("bpce-post"))
    reply = register(yolt, body, keyid=keyid)
    assert reply.status == 201, reply
    client_id = reply.json["client_id"]
    draft = yolt.draft("GET", client_id)
    assert yolt.send(yolt.signed(draft, keyid=keyid)).status == 200
    assert yolt.delete(client_id).status == 204
