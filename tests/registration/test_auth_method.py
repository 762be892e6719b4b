"""What is registered for a method of client authentication."""

from base64 import b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from dialects import RFC7591, STET
from enrol.eidas.organization import OrganizationIdentifier
from enrol.eidas.qcstatements import PspRole
from enrol.errors import ClientMetadataError
from enrol.oauth.certificate_name import NAME_MEMBERS, subject_of
from enrol.oauth.metadata import ClientMetadata, parse_client_metadata
from enrol.oauth.types import ClientId
from enrol.registration.dialect import Dialect
from enrol.registration.policy import Applicant, decide
from vectors import vectors


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    """The certificate of a connection."""
    found = vectors("certs", "yolt-qwac-eszigno-test-PSDNL-DNB-33031431.pem")
    return x509.load_pem_x509_certificate(found.read_bytes())


def grant(
    certificate: x509.Certificate, dialect: Dialect = RFC7591, *, own: bool = False, **members: Any
) -> ClientMetadata:
    document = {"redirect_uris": ["https://tpp.test/cb"]} | members
    applicant = Applicant(
        organization_identifier=OrganizationIdentifier("PSDNL-DNB-33031431"),
        psp_roles=frozenset({PspRole.PSP_AI}),
        client_id=ClientId("c1") if "client_id" in members else None,
        certificate=certificate,
        brings_own_secret=own,
    )
    metadata = parse_client_metadata(document)
    return decide(document, metadata, applicant=applicant, dialect=dialect)


def findings(certificate: x509.Certificate, **members: Any) -> set[tuple[str, str | None]]:
    with pytest.raises(ClientMetadataError) as refusal:
        grant(certificate, **members)
    return {(finding.code, finding.member) for finding in refusal.value.findings}


def names(metadata: ClientMetadata) -> dict[str, str]:
    given = {member: getattr(metadata, member) for member in NAME_MEMBERS}
    return {member: value for member, value in given.items() if value is not None}


def keys(der: bytes) -> dict[str, Any]:
    return {"keys": [{"kty": "RSA", "x5c": [b64encode(der).decode()]}]}


def test_the_subject_stands_for_a_name_that_is_not_given(certificate: x509.Certificate) -> None:
    assert names(grant(certificate)) == {NAME_MEMBERS[0]: subject_of(certificate)}


@pytest.mark.parametrize(
    "method", ["self_signed_tls_client_auth", "private_key_jwt", "client_secret_basic"]
)
def test_other_methods_have_no_name(certificate: x509.Certificate, method: str) -> None:
    der = certificate.public_bytes(Encoding.DER)
    granted = grant(
        certificate,
        token_endpoint_auth_method=method,
        jwks=keys(der),
        tls_client_auth_subject_dn="CN=anybody",
    )
    assert names(granted) == {}


@pytest.mark.parametrize(
    ("members", "finding"),
    [
        (
            {"tls_client_auth_san_dns": "a.test", "tls_client_auth_san_uri": "https://a.test"},
            ("tls_client_auth_names", "tls_client_auth_san_dns"),
        ),
        (
            {"tls_client_auth_subject_dn": "CN=of another TPP"},
            ("tls_client_auth_differs", "tls_client_auth_subject_dn"),
        ),
        (
            {"tls_client_auth_subject_dn": "/CN=one line"},
            ("tls_client_auth_malformed", "tls_client_auth_subject_dn"),
        ),
        (
            {"tls_client_auth_san_ip": "1.2.3"},
            ("tls_client_auth_malformed", "tls_client_auth_san_ip"),
        ),
        ({"token_endpoint_auth_method": "private_key_jwt"}, ("member_missing", "jwks")),
        (
            {"token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": keys(b"other")},
            ("jwks_without_certificate", "jwks"),
        ),
        ({"client_secret": "chosen"}, ("client_secret_chosen", "client_secret")),
        ({"client_secret": None}, ("client_secret_chosen", "client_secret")),
        (
            {"client_secret": "chosen", "client_id": "c1"},
            ("client_secret_chosen", "client_secret"),
        ),
    ],
)
def test_a_method_without_what_it_needs_is_refused(
    certificate: x509.Certificate, members: dict[str, Any], finding: tuple[str, str]
) -> None:
    assert finding in findings(certificate, **members)


def test_the_issued_secret_may_come_back(certificate: x509.Certificate) -> None:
    assert grant(certificate, own=True, client_id="c1", client_secret="issued")


def test_stet_has_no_names(certificate: x509.Certificate) -> None:
    members = {
        "client_name": "Acme",
        "contacts": ["ops@tpp.test"],
        "grant_types": ["authorization_code"],
        "provider_legal_id": "PSDNL-DNB-33031431",
        "token_endpoint_auth_method": "tls_client_auth",
    }
    assert names(grant(certificate, STET, **members)) == {}
