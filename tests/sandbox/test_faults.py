from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from enrol.eidas.certificate import Certificate
from enrol.errors import ConfigurationError
from enrol.sandbox import pki
from enrol.sandbox.draft import Kind
from enrol.sandbox.faults import MEANINGS, Fault
from enrol.sandbox.files import certificates_pem

Issue = Callable[..., pki.Issued]
Facts = Callable[[pki.Issued], Certificate]

ACME, RIVAL = "PSDFR-ACPR-12345", "PSDFR-ACPR-99999"

IN_THE_CERTIFICATE: dict[Fault, Callable[[Certificate], bool]] = {
    Fault.CA_CERTIFICATE: lambda read: read.is_ca and "key_cert_sign" in read.key_usage,
    Fault.WEAK_KEY: lambda read: read.key.bits == 1024,
    Fault.PRECERTIFICATE: lambda read: read.is_precertificate,
    Fault.NO_CLIENT_AUTH: lambda read: read.extended_key_usage == {"1.3.6.1.5.5.7.3.1"},
    Fault.NO_QC_COMPLIANCE: lambda read: not read.qc.compliance,
    Fault.NO_QCTYPE: lambda read: read.qc.qc_types == (),
    Fault.WRONG_QCTYPE: lambda read: read.qc.qc_types == ("eseal",),
    Fault.NO_PSD2_STATEMENT: lambda read: read.qc.psd2 is None,
    Fault.NO_ROLE: lambda read: read.qc.psd2.roles == frozenset(),
    Fault.BAD_NCA_ID: lambda read: read.qc.psd2.nca_id == "FRACPR",
    Fault.OTHER_NCA: lambda read: read.qc.psd2.nca_id == "DE-BAFIN",
    Fault.OTHER_ORGANIZATION: lambda read: read.organization_identifiers == (RIVAL,),
    Fault.DOUBLE_ORGANIZATION_IDENTIFIER: lambda read: (
        read.organization_identifiers == (ACME, RIVAL)
    ),
    Fault.OCSP_REVOKED: lambda read: read.ocsp_urls == ("http://qtsp.example/ocsp/revoked",),
    Fault.OCSP_UNKNOWN: lambda read: read.ocsp_urls == ("http://qtsp.example/ocsp/unknown",),
    Fault.OCSP_STALE: lambda read: read.ocsp_urls == ("http://qtsp.example/ocsp/stale",),
    Fault.OCSP_FORGED: lambda read: read.ocsp_urls == ("http://qtsp.example/ocsp/forged",),
    Fault.NO_REVOCATION_INFO: lambda read: read.ocsp_urls == read.crl_distribution_points == (),
    Fault.ORGANIZATION_IN_CN_ONLY: lambda read: (
        read.organization_identifiers == () and read.common_name == ACME
    ),
}
IN_THE_LISTS = {
    Fault.WITHDRAWN_ISSUER: "Withdrawn CA",
    Fault.SEAL_ONLY_ISSUER: "Seal only CA",
    Fault.WEB_ONLY_ISSUER: "Web only CA",
    Fault.NOT_QUALIFIED_AT_ISSUE: "Issuing CA",
}
"""Faults that only the trusted list knows of, and the CA that signs."""

FOR_OPENSSL = {
    Fault.EXPIRED: "certificate has expired",
    Fault.NOT_YET_VALID: "certificate is not yet valid",
    Fault.WRONG_CA: "unable to get local issuer certificate",
    Fault.FORGED_ISSUER: "certificate signature failure",
    Fault.SELF_SIGNED: "self-signed certificate",
    Fault.LEAF_AS_CA: "invalid CA certificate",
}


@pytest.fixture
def verify(authority: pki.Authority, at, openssl) -> Callable[[pki.Issued], str]:
    """What OpenSSL says of a certificate, the chain it came with at hand."""

    def run(issued: pki.Issued) -> str:
        result = openssl(
            "verify", "-attime", str(int(at.timestamp())),
            "-CAfile", certificates_pem(*authority.anchors),
            *(("-untrusted", certificates_pem(*issued.chain)) if issued.chain else ()),
            certificates_pem(issued.certificate),
        )  # fmt: skip
        return result.stdout + result.stderr

    return run


def test_every_fault_has_its_effect_tested_and_said() -> None:
    tested = {*IN_THE_CERTIFICATE, *IN_THE_LISTS, *FOR_OPENSSL, Fault.REVOKED}
    assert tested == set(Fault) == set(MEANINGS)


@pytest.mark.parametrize("fault", IN_THE_LISTS)
def test_a_fault_in_the_lists_is_in_no_certificate(
    fault: Fault, issue: Issue, facts: Facts
) -> None:
    kind = Kind.QSEALC if fault is Fault.WEB_ONLY_ISSUER else Kind.QWAC
    issued, good = issue(kind=kind, faults={fault}), issue(kind=kind)
    assert IN_THE_LISTS[fault] in issued.certificate.issuer.rfc4514_string()
    assert facts(issued).qc == facts(good).qc


@pytest.mark.parametrize("fault", IN_THE_CERTIFICATE)
def test_a_fault_is_in_the_certificate(fault: Fault, issue: Issue, facts: Facts) -> None:
    assert IN_THE_CERTIFICATE[fault](facts(issue(faults={fault})))
    assert not IN_THE_CERTIFICATE[fault](facts(issue()))


@pytest.mark.parametrize("fault", FOR_OPENSSL)
def test_openssl_sees_the_fault(fault: Fault, issue: Issue, verify) -> None:
    assert FOR_OPENSSL[fault] in verify(issue(faults={fault}))


@pytest.mark.parametrize("fault", sorted(set(IN_THE_CERTIFICATE) - {Fault.PRECERTIFICATE}))
def test_a_fault_in_the_content_leaves_the_chain_whole(fault: Fault, issue: Issue, verify) -> None:
    assert verify(issue(faults={fault})).rstrip().endswith("OK")


def test_a_certificate_without_fault_passes_openssl(issue: Issue, verify) -> None:
    assert verify(issue()).rstrip().endswith("OK")


def test_an_issuer_fault_leaves_the_content_right(issue: Issue, facts: Facts) -> None:
    good = facts(issue())
    for fault in (Fault.WRONG_CA, Fault.FORGED_ISSUER, Fault.SELF_SIGNED, Fault.LEAF_AS_CA):
        read = facts(issue(faults={fault}))
        assert (read.subject, read.qc) == (good.subject, good.qc)


def test_a_forged_issuer_names_the_real_one(issue: Issue, facts: Facts) -> None:
    assert facts(issue(faults={"forged-issuer"})).issuer == facts(issue()).issuer
    assert facts(issue(faults={"wrong-ca"})).issuer != facts(issue()).issuer


def test_the_leaf_that_issued_comes_along(issue: Issue, facts: Facts, verify) -> None:
    issued = issue(faults={"leaf-as-ca"})
    (leaf,) = issued.chain
    assert issued.certificate.issuer == leaf.subject != issued.certificate.subject
    assert verify(pki.Issued(leaf, issued.private_key)).rstrip().endswith("OK")


def test_other_organization_is_never_the_one_asked_for(issue: Issue, facts: Facts) -> None:
    read = facts(issue(faults={"other-organization"}, organization_identifier=RIVAL))
    assert read.organization_identifiers == ("PSDFR-ACPR-88888",)


def test_faults_add_up(issue: Issue, facts: Facts, at) -> None:
    read = facts(issue(kind="qsealc", faults={"expired", "weak-key", "no-role", "wrong-qctype"}))
    assert read.not_after == at - timedelta(days=1)
    assert read.key.bits == 1024
    assert read.qc is not None
    assert read.qc.psd2 is not None
    assert read.qc.psd2.roles == frozenset()
    assert read.qc.qc_types == ("web",)


def test_an_unknown_fault_is_refused_with_the_known_ones(issue: Issue) -> None:
    with pytest.raises(ConfigurationError) as caught:
        issue(faults={"bent"})
    assert all(fault.value in caught.value.detail for fault in Fault)


@pytest.mark.parametrize(
    ("faults", "kind"),
    [
        ({"expired", "not-yet-valid"}, Kind.QWAC),
        ({"wrong-ca", "self-signed"}, Kind.QWAC),
        ({"revoked", "wrong-ca"}, Kind.QWAC),
        ({"no-psd2-statement", "no-role"}, Kind.QWAC),
        ({"no-client-auth"}, Kind.QSEALC),
        ({"seal-only-issuer"}, Kind.QSEALC),
        ({"web-only-issuer"}, Kind.QWAC),
    ],
    ids=[
        *("two validities", "two issuers", "revoked by another CA", "no roles of nothing"),
        *("no EKU", "a seal of a CA for seals", "a QWAC of a CA for websites"),
    ],
)
def test_faults_that_hide_one_another_are_refused(issue: Issue, faults: set[str], kind) -> None:
    with pytest.raises(ConfigurationError) as caught:
        issue(faults=faults, kind=kind)
    assert caught.value.code in {"sandbox_faults_exclusive", "sandbox_fault_not_applicable"}


def test_a_key_given_and_a_weak_key_exclude_one_another(issue: Issue, authority) -> None:
    with pytest.raises(ConfigurationError):
        issue(faults={"weak-key"}, key=authority.issuing.private_key)


def test_two_certificates_of_one_fault_differ(issue: Issue) -> None:
    first, second = (issue(faults={"self-signed"}).certificate for _ in range(2))
    assert first.public_bytes(Encoding.DER) != second.public_bytes(Encoding.DER)
