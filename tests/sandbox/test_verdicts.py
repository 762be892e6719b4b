"""What a bank says to each fault: the sandbox and the desk mean the same by it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.adapters.trustlists.refreshing import RefreshRules, refresh
from enrol.adapters.trustlists.sources import DirectorySource
from enrol.eidas.certificate import Certificate
from enrol.eidas.crl import parse_revocation_lists
from enrol.eidas.ocsp import OcspResponse, ocsp_request, parse_ocsp_response
from enrol.eidas.revocation import RevocationEvidence
from enrol.eidas.rules import CertificateUse
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import QualifiedCertificate, validate
from enrol.errors import RefusalError, UnavailableError
from enrol.sandbox import pki
from enrol.sandbox.draft import Kind
from enrol.sandbox.faults import Fault
from enrol.sandbox.responder import Responder
from enrol.sandbox.scheme import create_operator, publish

REFUSED_AS = {
    Fault.EXPIRED: "cert_expired",
    Fault.NOT_YET_VALID: "cert_not_yet_valid",
    Fault.REVOKED: "cert_revoked",
    Fault.OCSP_REVOKED: "cert_revoked",
    Fault.OCSP_UNKNOWN: "revocation_unknown",
    Fault.OCSP_STALE: "revocation_unknown",
    Fault.OCSP_FORGED: "revocation_unknown",
    Fault.NO_REVOCATION_INFO: "revocation_unknown",
    Fault.WRONG_CA: "cert_issuer_not_listed",
    Fault.FORGED_ISSUER: "cert_path_invalid",
    Fault.SELF_SIGNED: "cert_issuer_not_listed",
    Fault.LEAF_AS_CA: "cert_path_invalid",
    Fault.WITHDRAWN_ISSUER: "cert_not_qualified_at_now",
    Fault.SEAL_ONLY_ISSUER: "service_not_for_web",
    Fault.WEB_ONLY_ISSUER: "service_not_for_eseal",
    Fault.NOT_QUALIFIED_AT_ISSUE: "cert_not_qualified_at_issue",
    Fault.CA_CERTIFICATE: "cert_is_ca",
    Fault.WEAK_KEY: "cert_weak_key",
    Fault.PRECERTIFICATE: "cert_is_precertificate",
    Fault.NO_CLIENT_AUTH: "cert_wrong_key_usage",
    Fault.NO_QC_COMPLIANCE: "cert_not_qualified",
    Fault.NO_QCTYPE: "cert_wrong_qctype",
    Fault.WRONG_QCTYPE: "cert_wrong_qctype",
    Fault.NO_PSD2_STATEMENT: "psd2_statement_missing",
    Fault.NO_ROLE: "psd2_no_role",
    Fault.BAD_NCA_ID: "psd2_nca_id_malformed",
    Fault.OTHER_NCA: "organization_identifier_nca_mismatch",
    Fault.DOUBLE_ORGANIZATION_IDENTIFIER: "organization_identifier_malformed",
    Fault.ORGANIZATION_IN_CN_ONLY: "organization_identifier_malformed",
}
NO_FAULT_OF = {
    (Kind.QSEALC, Fault.NO_CLIENT_AUTH),
    (Kind.QSEALC, Fault.SEAL_ONLY_ISSUER),
    (Kind.QWAC, Fault.WEB_ONLY_ISSUER),
}
CASES = [(kind, fault) for kind in Kind for fault in REFUSED_AS if (kind, fault) not in NO_FAULT_OF]

Judge = Callable[..., QualifiedCertificate]


@pytest.fixture(scope="module")
def trust(
    authority: pki.Authority, at: datetime, tmp_path_factory: pytest.TempPathFactory
) -> TrustAnchors:
    """What the sandbox's trusted lists say, read as a bank reads them."""
    operator = create_operator(authority.keys, at=at)
    lists = publish(authority, operator, at=at)
    folder = tmp_path_factory.mktemp("lists")
    (folder / "lotl.xml").write_bytes(lists.lotl)
    (folder / "FR.xml").write_bytes(lists.national)
    rules = RefreshRules((operator.certificate.public_bytes(Encoding.DER),), at)
    snapshot = asyncio.run(refresh(DirectorySource(folder, at=at), rules, None))
    assert snapshot.missing == ()
    return TrustAnchors.from_snapshot(snapshot)


@pytest.fixture
def judge(
    authority: pki.Authority,
    trust: TrustAnchors,
    facts: Callable[[pki.Issued], Certificate],
    at: datetime,
) -> Judge:
    """Judge a certificate under the test QTSP, which revoked the serial numbers given."""

    def run(issued: pki.Issued, kind: Kind, *revoked: int) -> QualifiedCertificate:
        crl = pki.revocation_list(authority, at=at)
        for serial_number in revoked:
            crl = pki.revoke(authority, crl, serial_number=serial_number, at=at)
        certificate = facts(issued)
        return validate(
            certificate,
            use=CertificateUse(kind.value),
            at=at,
            trust=trust,
            revocation=RevocationEvidence(
                responses=tuple(answers(authority, certificate, crl, at)),
                lists=parse_revocation_lists([crl.public_bytes(Encoding.PEM)]),
            ),
            intermediates=tuple(one.public_bytes(Encoding.DER) for one in issued.chain),
        )

    return run


def answers(
    authority: pki.Authority, certificate: Certificate, crl, at: datetime
) -> Iterator[OcspResponse]:
    """Ask the responders that a certificate names."""
    responder = Responder(authority, crl=lambda: crl)
    for url in certificate.ocsp_urls:
        request = ocsp_request(certificate, authority.issuing.certificate)
        page = responder.post(url.removeprefix("http://qtsp.example"), request, at=at)
        with suppress(UnavailableError):
            yield parse_ocsp_response(page.content)


def test_every_fault_a_bank_can_see_has_a_verdict() -> None:
    assert set(REFUSED_AS) == set(Fault) - {Fault.OTHER_ORGANIZATION}


@pytest.mark.parametrize("kind", list(Kind))
def test_a_certificate_without_fault_is_accepted(kind: Kind, issue, judge: Judge) -> None:
    verdict = judge(issue(kind=kind), kind)
    assert verdict.organization_identifier == "PSDFR-ACPR-12345"
    assert verdict.psp_roles == {"PSP_AI", "PSP_PI"}
    assert verdict.deviations == ()


@pytest.mark.parametrize(("kind", "fault"), CASES)
def test_a_fault_is_refused_by_its_rule(kind: Kind, fault: Fault, issue, judge: Judge) -> None:
    issued = issue(kind=kind, faults={fault})
    revoked = [issued.certificate.serial_number] if fault is Fault.REVOKED else []
    with pytest.raises(RefusalError) as caught:
        judge(issued, kind, *revoked)
    assert caught.value.code == REFUSED_AS[fault]


def test_another_organization_is_believed_and_is_another(issue, judge: Judge) -> None:
    verdict = judge(issue(faults={"other-organization"}), Kind.QWAC)
    assert verdict.organization_identifier == "PSDFR-ACPR-99999"
