"""Certificates and revocation lists of real QTSPs, which nobody here wrote."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from eidas.refusals import refusal_of
from enrol.eidas.certificate import Certificate, parse_certificate, parse_pem_certificate
from enrol.eidas.checks import (
    check_entitled,
    check_form,
    check_key_usage,
    check_organization,
    check_psd2,
    check_qualified,
    check_validity,
)
from enrol.eidas.crl import RevocationLists, covering_lists, parse_revocation_list
from enrol.eidas.path import verify_path
from enrol.eidas.revocation import RevocationEvidence, judge_revocation
from enrol.eidas.trust import TrustAnchors
from enrol.eidas.validate import CertificateRules, CertificateUse, validate
from vectors import SHARED, vectors

RULES = CertificateRules(revocation_required=False)
EXPECTED = SHARED / "vectors" / "eidas" / "expected.json"
CASES = json.loads(EXPECTED.read_text("utf-8")) if EXPECTED.exists() else []
EXTENDED_KEY_USAGES = {
    "server_auth": "1.3.6.1.5.5.7.3.1",
    "client_auth": "1.3.6.1.5.5.7.3.2",
    "email_protection": "1.3.6.1.5.5.7.3.4",
    "microsoft_document_signing": "1.3.6.1.4.1.311.10.3.12",
}
DEVIATIONS = {
    "several roles in one RoleOfPSP SEQUENCE": "psd2_roles_malformed",
    "QcCompliance carries a statementInfo": "qccompliance_with_info",
}
CODES_OF_CHECKS = (
    {"cert_is_precertificate", "cert_is_ca", "cert_weak_key"},
    {"cert_expired", "cert_not_yet_valid"},
    {"cert_issuer_not_listed", "cert_path_invalid"},
    {"qcstatements_missing", "cert_not_qualified", "cert_not_eu_qualified", "cert_wrong_qctype"},
    {
        "psd2_statement_missing",
        "psd2_roles_malformed",
        "psd2_role_mismatch",
        "psd2_nca_name_empty",
        "psd2_nca_id_malformed",
    },
    {"organization_identifier_malformed", "organization_identifier_nca_mismatch"},
    {"cert_wrong_key_usage"},
    {"psd2_no_role", "psd2_nca_not_eea", "psd2_nca_unknown"},
)
ALSO_WEAK = {"sloppy/46-ndgit-nca-id-number.pem"}
"""Signed over SHA-1, which the verdicts that came with the vectors do not look at."""

UNREADABLE = {"qcstatements_malformed", "cert_malformed"}


def codes_of(case) -> set[str]:
    weak = {"cert_weak_key"} if case["file"] in ALSO_WEAK else set()
    return {code for _, code, _ in case["prototype_verdict"]["refusals"]} | weak


def over(cases):
    return pytest.mark.parametrize("case", cases, ids=[case["file"] for case in cases])


every_certificate = over(CASES)
every_readable = over([case for case in CASES if codes_of(case).isdisjoint(UNREADABLE)])
every_unreadable = over([case for case in CASES if not codes_of(case).isdisjoint(UNREADABLE)])


@cache
def anchors() -> TrustAnchors:
    files = sorted(vectors("eidas", "issuing-ca").glob("*.pem"))
    return TrustAnchors.from_pem(b"".join(file.read_bytes() for file in files))


def certificate_of(case) -> Certificate:
    return parse_pem_certificate(vectors("eidas", case["file"]).read_bytes())


def use_and_moment(case) -> tuple[CertificateUse, datetime]:
    verdict = case["prototype_verdict"]
    moment = datetime.fromisoformat(verdict["checked_at"]).replace(tzinfo=UTC)
    return CertificateUse(verdict["kind"]), moment


def judge(case):
    use, at = use_and_moment(case)
    certificate = certificate_of(case)
    return validate(
        certificate, use=use, at=at, trust=anchors(), revocation=RevocationEvidence(), rules=RULES
    )


@every_unreadable
def test_certificates_that_cannot_be_read_are_refused_as_that(case):
    assert refusal_of(certificate_of, case) in codes_of(case) & UNREADABLE


@every_readable
def test_certificates_are_read_as_three_other_readers_read_them(case):
    certificate = certificate_of(case)
    extended = case["extended_key_usage"]
    assert certificate.sha256.hex() == case["sha256"]
    assert certificate.common_name == case["subject_cn"]
    assert certificate.organization_name == case["organization"]
    assert list(certificate.organization_identifiers) == case["organization_identifier"]
    assert certificate.serial_number == int(case["serial"], 16)
    assert certificate.not_before.isoformat() == case["not_before"]
    assert certificate.not_after.isoformat() == case["not_after"]
    assert sorted(certificate.key_usage or ()) == (case["key_usage"] or [])
    assert certificate.extended_key_usage == (
        None if extended is None else {EXTENDED_KEY_USAGES[usage] for usage in extended}
    )
    assert list(certificate.policies) == (case["policies"] or [])


@every_readable
def test_qcstatements_are_read_as_three_other_readers_read_them(case):
    qc = certificate_of(case).qc
    assert qc is not None
    assert qc.compliance == case["qc_compliance"]
    assert qc.qscd == case["qscd"]
    assert list(qc.qc_types) == case["qc_types"]
    assert [list(location) for location in qc.pds] == case["pds"]
    roles = {role.value for role in qc.psd2.roles} if qc.psd2 else set()
    assert roles == set(case["roles"]) - {"Unspecified"}
    assert (qc.psd2.nca_name if qc.psd2 else None) == (case["nca_name"] or None)
    assert (qc.psd2.nca_id if qc.psd2 else None) == (case["nca_id"] or None)
    deviations = {DEVIATIONS.get(text, "psd2_role_mismatch") for text in case["deviations"]}
    assert set(qc.deviations) == deviations


@every_certificate
def test_certificates_are_accepted_and_refused_as_expected(case):
    assert refusal_of(judge, case) in (codes_of(case) or {None})


@every_readable
def test_every_check_by_itself_finds_what_is_expected(case):
    certificate, (use, at) = certificate_of(case), use_and_moment(case)
    qc, trust = certificate.qc, anchors()
    assert qc is not None
    found = {
        refusal_of(check_form, certificate, RULES),
        refusal_of(check_validity, certificate, RULES, at=at),
        refusal_of(verify_path, certificate, trust, intermediates=(), at=at, purpose=None),
        refusal_of(check_qualified, certificate, use),
        refusal_of(check_psd2, qc),
        refusal_of(check_key_usage, certificate, use, RULES),
    }
    if qc.psd2 and "psd2_nca_id_malformed" not in found:
        found.add(refusal_of(check_organization, certificate, qc.psd2))
        found.add(refusal_of(check_entitled, qc.psd2, RULES))
    expected = codes_of(case)
    assert found - {None} <= expected
    for codes in CODES_OF_CHECKS:
        assert found.isdisjoint(codes) == expected.isdisjoint(codes)


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("yolt-qsealc-eszigno-test-PSDNL-DNB-33031431.pem", "PSDNL-DNB-33031431"),
        ("yolt-qwac-eszigno-test-PSDNL-DNB-33031431.pem", "PSDNL-DNB-33031431"),
        ("ing-qsealc-dtrust-rsassapss-PSDNL-DNB-B0163.pem", "PSDNL-DNB-B0163"),
        ("tink-qsealc-multicert-PSDSE-FINA-44059.pem", "PSDSE-FINA-44059"),
    ],
)
def test_certificates_of_register_calls_name_their_organization(file, expected):
    certificate = parse_pem_certificate(vectors("certs", file).read_bytes())
    assert certificate.qc is not None
    assert check_organization(certificate, check_psd2(certificate.qc)) == expected


@pytest.mark.parametrize(
    "file",
    [
        "euroinformation-EIDP5520-no-psd2.pem",
        "myQsealCertificate_873dddcc49456290e2315cf3335b650715751fecdebf517e73b8642696ecc406",
        "yolt-connections-no-psd2.pem",
        "selfsigned-foo-1024-sha1-expired.pem",
    ],
)
def test_certificates_without_qcstatements_are_not_qualified(file):
    certificate = parse_pem_certificate(vectors("certs", file).read_bytes())
    assert refusal_of(check_qualified, certificate, CertificateUse.QSEALC) == "qcstatements_missing"


def test_a_self_signed_certificate_of_1024_bits_and_sha1_is_weak():
    file = vectors("certs", "selfsigned-foo-1024-sha1-expired.pem")
    certificate = parse_pem_certificate(file.read_bytes())
    assert refusal_of(check_form, certificate, RULES) == "cert_weak_key"


def test_a_real_qwac_without_psd2_statement_is_no_psp():
    qwac = parse_pem_certificate(
        vectors("eidas", "revocation", "harica-qwac-2025.pem").read_bytes()
    )
    trust = TrustAnchors.from_pem(vectors("eidas", "revocation", "harica-qwac-ca.pem").read_bytes())
    code = refusal_of(
        validate,
        qwac,
        use=CertificateUse.QWAC,
        at=qwac.not_before + timedelta(days=1),
        trust=trust,
        revocation=RevocationEvidence(),
        rules=RULES,
    )
    assert code == "psd2_statement_missing"


def revocation_list(name: str) -> tuple[bytes, x509.Certificate]:
    data = vectors("eidas", "revocation", f"{name}.crl.der").read_bytes()
    issuer = vectors("eidas", "revocation", f"{name}.issuer.pem").read_bytes()
    return data, x509.load_pem_x509_certificate(issuer)


def test_a_real_empty_list_signed_with_rsassa_pss_speaks_while_current():
    data, issuer = revocation_list("penneo-root-2024")
    itself = parse_certificate(issuer.public_bytes(Encoding.DER))
    lists = RevocationEvidence.of_lists([data])
    current, stale = datetime(2024, 9, 1, tzinfo=UTC), datetime(2025, 2, 3, tzinfo=UTC)
    assert judge_revocation(itself, issuer, lists, at=current).is_known
    assert not judge_revocation(itself, issuer, lists, at=stale).is_known


def test_a_real_list_with_a_critical_distribution_point_speaks_only_for_it():
    data, issuer = revocation_list("ti-trust-ca1-2016-critical-idp")
    at = datetime(2016, 4, 18, 12, tzinfo=UTC)
    one = parse_revocation_list(data)
    lists = RevocationLists.of([one])
    stranger = certificate_of(CASES[0])
    assert len(one.loaded) == 367
    assert one.loaded.get_revoked_certificate_by_serial_number(0x39) is not None
    assert covering_lists(stranger, issuer, lists, at=at) == ()
