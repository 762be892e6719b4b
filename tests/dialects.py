"""The dialects that come with Enrol, changed copies of them, and what they grant and answer."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from enrol.adapters.dialects import load_dialect, read_dialect
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError
from enrol.oauth.metadata import ClientMetadata, parse_client_metadata
from enrol.oauth.types import ClientId
from enrol.registration.dialect import Dialect, Operation
from enrol.registration.dialect_parser import parse_dialect
from enrol.registration.policy import Applicant, decide
from enrol.registration.reading import read_document
from enrol.registration.record import ClientRecord
from enrol.registration.response import respond, shape_of

STET = load_dialect("stet")
RFC7591 = load_dialect("rfc7591")
ACME = Applicant(
    OrganizationIdentifier("PSDFR-ACPR-12345"), frozenset({PspRole.PSP_AI, PspRole.PSP_PI})
)
AT = datetime(2022, 4, 22, 15, 33, 39, tzinfo=UTC)
CONTACT = {"contact_name": "Acme", "email": "ops@tpp.test", "phone_number": "+33100000000"}
KEYS = {"keys": [{"kty": "RSA", "x5c": ["QUFB"]}]}
SPECIAL: dict[str, dict[str, Any]] = {
    "bpce": {"contact": CONTACT, "jwks": KEYS},
    "bnpp": {"context": "psd2"},
    "cic": {"jwks": KEYS},
    "labanquepostale": {"description": "An application"},
}
"""What a dialect wants beside the members of `document`."""


def changed(name: str, *changes: tuple[str, str]) -> Dialect:
    """Return a dialect whose text was edited as an operator would edit a copy."""
    text = read_dialect(name)
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse_dialect(text, source=name)


def document(**changes: Any) -> dict[str, Any]:
    """Return metadata that `stet` grants, without a key."""
    return {
        "client_name": "Acme Co.",
        "redirect_uris": ["https://tpp.test/cb"],
        "token_endpoint_auth_method": "tls_client_auth",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types": ["code"],
        "contacts": ["ops@tpp.test"],
        "provider_legal_id": "PSDFR-ACPR-12345",
        "scope": "aisp pisp",
    } | changes


def good(name: str, **changes: Any) -> dict[str, Any]:
    return document(**SPECIAL.get(name, {})) | changes


def grant(
    dialect: Dialect | str, members: dict[str, Any], *, client_id: str | None = None
) -> ClientMetadata:
    dialect = load_dialect(dialect) if isinstance(dialect, str) else dialect
    read = read_document(members, dialect.reading)
    applicant = msgspec.structs.replace(ACME, client_id=ClientId(client_id) if client_id else None)
    return decide(read, parse_client_metadata(read), applicant=applicant, dialect=dialect)


def findings(
    dialect: Dialect | str, members: dict[str, Any], **others: Any
) -> set[tuple[str, str | None]]:
    with pytest.raises(ClientMetadataError) as refusal:
        grant(dialect, members, **others)
    return {(finding.code, finding.member) for finding in refusal.value.findings}


def answer(
    dialect: Dialect | str, operation: Operation = Operation.REGISTER, **changes: Any
) -> dict[str, Any]:
    """Return what a dialect answers about a client that has these members."""
    dialect = load_dialect(dialect) if isinstance(dialect, str) else dialect
    metadata = parse_client_metadata(document(contact=CONTACT, jwks=KEYS, **changes))
    record = ClientRecord(
        client_id=ClientId("c1"),
        organization_identifier=ACME.organization_identifier,
        metadata=metadata,
        keys=(),
        issued_at=AT,
        updated_at=AT,
        version=1,
    )
    standard = respond(record, register_uri="https://bank.test/register", secret=bytes(32), at=AT)
    shaped = shape_of(dialect)(standard, AT, operation)
    return dict(msgspec.json.decode(msgspec.json.encode(shaped)))
